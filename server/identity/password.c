/* password.c: which passwords are taken.
 *
 * The list holds stems, not passwords: what is left when digits and punctuation at both ends are
 * taken off and repetitions folded. With twelve characters needed, nearly everything common is a
 * stem with something hung on. */
#include "identity/password.h"

#include <errno.h>

#include "base/err.h"
#include "base/random.h"

static const char *const common_stems[] = {
    "",
    "a",
    "abc",
    "abcd",
    "abcdef",
    "abcdefgh",
    "abcdefghij",
    "abcdefghijkl",
    "abcdefghijklmnopqrstuvwxyz",
    "access",
    "admin",
    "administrator",
    "adminadmin",
    "asdf",
    "asdfgh",
    "asdfghjkl",
    "baseball",
    "changeit",
    "changeme",
    "charlie",
    "chocolate",
    "computer",
    "correcthorsebatterystaple",
    "default",
    "dragon",
    "flower",
    "football",
    "freedom",
    "gateway",
    "geheim",
    "hello",
    "helloworld",
    "iloveyou",
    "internet",
    "ihateyou",
    "jennifer",
    "jordan",
    "letmein",
    "liverpool",
    "login",
    "loveme",
    "lovely",
    "master",
    "michael",
    "michelle",
    "monkey",
    "motdepasse",
    "mypassword",
    "newpassword",
    "nothing",
    "operator",
    "opensesame",
    "p@ssw0rd",
    "pa$$word",
    "pass",
    "passw0rd",
    "password",
    "passwort",
    "pokemon",
    "princess",
    "q1w2e3r4t5y",
    "q1w2e3r4t5y6",
    "qazwsx",
    "qazwsxedc",
    "qazwsxedcrfv",
    "qwer",
    "qwerty",
    "qwertyui",
    "qwertyuiop",
    "qwertyuiopasdfghjkl",
    "qwertz",
    "qwertzuiop",
    "root",
    "samsung",
    "secret",
    "starwars",
    "sunshine",
    "superman",
    "supersecret",
    "test",
    "testtest",
    "testing",
    "thisisapassword",
    "tollgate",
    "trustno",
    "welcome",
    "whatever",
    "zaq12wsx",
    "zxcvbn",
    "zxcvbnm",
    "q2w3e4r5t6y",
    "qaz2wsx3edc",
    "qaz2wsx",
    "q2w3e4r",
    "q2w3e4r5t",
    "q1w2e3r4",
    "q1w2e3r4t5",
};

/* argon2id of a password that nobody knows, with today's parameters: what is checked when there is
 * no such user, so that this takes as long. */
static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$"
                             "pBEXh5fC3j3rGZOtQcu+VQ$fh5Q1obcqVYrTyWW/ZnkJokLEWuL3F58zV+znQ34xqc";

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* "abcabcabc" is "abc". */
static struct str fold_repeats(struct str s)
{
    for (size_t period = 1; period <= s.n / 2; period++) {
        if (s.n % period == 0 && memcmp(s.p, s.p + period, s.n - period) == 0)
            return str_n(s.p, period);
    }
    return s;
}

/* lower: room for PASSWORD_MAX * 4 bytes. */
static struct str stem_of(struct str password, char *lower)
{
    size_t from = 0, until = password.n;

    for (size_t i = 0; i < password.n; i++) {
        char c = password.p[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    while (until > 0 && !is_letter(lower[until - 1]))
        until--;
    while (from < until && !is_letter(lower[from]))
        from++;
    return fold_repeats(str_n(lower + from, until - from));
}

static bool is_common(struct str password)
{
    char lower[PASSWORD_MAX * 4];
    struct str stem = stem_of(password, lower);

    for (size_t i = 0; i < ARRAY_LEN(common_stems); i++)
        if (str_eq_c(stem, common_stems[i]))
            return true;
    return fold_repeats(str_n(lower, password.n)).n < 5;
}

const char *password_refusal(struct str password, struct str email)
{
    size_t characters = 0;

    for (size_t i = 0; i < password.n; characters++) {
        size_t length = str_utf8_length(password.p + i, password.n - i);
        if (length == 0 || password.p[i] == '\0')
            return "The password has characters that cannot be used here.";
        i += length;
    }
    if (characters < PASSWORD_MIN)
        return "A password has at least 12 characters; a few words do well.";
    if (characters > PASSWORD_MAX)
        return "A password has at most 128 characters.";
    if (str_ieq(password, email))
        return "The e-mail cannot be the password.";
    if (is_common(password))
        return "This is one of the first passwords that would be tried. Choose another.";
    return NULL;
}

bool password_check(const char *hash, struct str password)
{
    bool good = secret_password_check(hash ? hash : nobody, password);

    return hash && good;
}

struct str password_generate(struct arena *a)
{
    static const char alphabet[] = "23456789abcdefghjkmnpqrstuvwxyz"; /* none look alike */
    char text[4 * 6];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 6 == 5 ? '-' : alphabet[random_below(sizeof(alphabet) - 1)];
    return arena_str(a, str_n(text, sizeof(text) - 1));
}
