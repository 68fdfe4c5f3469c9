/* tokens.h: keys and ID tokens that another library (jose) made, with a key of each algorithm, for
 * https://id.example.org, the client "client", the nonce "n", the subject "ada", from 1000000 to 1000300. */
#pragma once

static const char known_keys[] =
    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"xG4GicccMB_QKLHMo6BPxK7TQMvhMcbRmckiqS8o-u7OXUv0UMwIBeXac"
    "trwjl_WwlVYNadtCttT66ha-6TkOq_WVQhPokIF9w8uqVKSIQ5-Og0QfWH5PB5yAnUFrsi9cxqrbJWQEAbcI"
    "Ds_ttEto4wjHyvwSnzf-5A_9LUPbQH41D_KuTD_zhGz1DuJyq7rxDUCdsF7DuXlAxiXEmOTFC0-z2AJEYJbm"
    "OqcpLrizdvXMUxofNi4oKukBcy2qsrG6aHpZquDLYfZwDrO6TjQV0-tJFpGuq8KsnydQ6OaHe3avErVeRLe6"
    "KXm7dotuEke4576V5sssPqhzsUgsmRM1Q\",\"e\":\"AQAB\",\"kid\":\"rs256\",\"alg\":\"RS256\",\"use\":\"sig"
    "\"},{\"kty\":\"RSA\",\"n\":\"4NqE_QktiWKpRSQAWTKcMcc1lC1wwzRy5kWhesROv5ATH67XfhKTaVH4-cGksw0"
    "vbDzl_S_E4vcJ9KH1ahl6IM02-J2mUMCM5w-7_gmvjBjAMYnRleiZ2Tj_QtJ0wa9hPDMb7anulWLxPAuko5N"
    "gWwCMFt2Q3ua0FbaSGeeKN4rrMgGCLNQsD-27_GHk_l10257ckKlBuzqw5vsyAWD8Q7zX3j4j-W7gBKWMkbk"
    "rK4z5w_L_4xVcUMVqU5LmgQYmb4GsmDZyBVzW7piPbQeOwpsoYjZUXVd1472sUIge5df1wKCfNKuy1kAOBMQ"
    "k4ZtXFUufni6A3o6zpH4DHYGMhw\",\"e\":\"AQAB\",\"kid\":\"ps256\",\"alg\":\"PS256\",\"use\":\"sig\"},{\"k"
    "ty\":\"EC\",\"x\":\"yi4MJqpdXXwtMz02y-IC4QLaM80T8g_QqEwDUCpm9pY\",\"y\":\"xLC9AVvO4ihsp5U7mCPx"
    "QQRJsolWNOGvHGQKhn0Q6-g\",\"crv\":\"P-256\",\"kid\":\"es256\",\"alg\":\"ES256\",\"use\":\"sig\"}]}";

static const char *const known_tokens[] = {
    /* RS256 */
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzMjU2In0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUub3JnIiwi"
    "YXVkIjoiY2xpZW50Iiwic3ViIjoiYWRhIiwibm9uY2UiOiJuIiwiaWF0IjoxMDAwMDAwLCJleHAiOjEwMDAz"
    "MDAsImVtYWlsIjoiYWRhQGV4YW1wbGUub3JnIiwiZW1haWxfdmVyaWZpZWQiOnRydWUsImdyb3VwcyI6WyJh"
    "IiwiYiJdfQ.hmddhTUDa_HljXBMwa8HMaV1w2CKbmJKRqGcj9UC9Er9UX8FWg3WhwCQkkfQ32nfkvrQxon-g"
    "SmrwdxJXhjjxDLbeT-dTQi5OJofVqvyfwC6un8Xt7zcKFTtACtiwngLjG8n-sBGvv6y7owKFY0gBhveyq6qZ"
    "-b4Rxo7Gaqi3H-IhRP16QPLZuv_dTopqMKCuHJXMigKKqEpeJwS6yYm25v6ucPAQULKuBtgGUse2y-OCBKqg"
    "k6pFlOSDQvZ_rDhcnizfMzVaTkNsZb-CaHjyeoQTkPzvjAHwq0PdawSBjUGw0w-twT3fOI1oZdsHPsyxRa-f"
    "aUosHZHQykz2Omusg",
    /* PS256 */
    "eyJhbGciOiJQUzI1NiIsImtpZCI6InBzMjU2In0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUub3JnIiwi"
    "YXVkIjoiY2xpZW50Iiwic3ViIjoiYWRhIiwibm9uY2UiOiJuIiwiaWF0IjoxMDAwMDAwLCJleHAiOjEwMDAz"
    "MDAsImVtYWlsIjoiYWRhQGV4YW1wbGUub3JnIiwiZW1haWxfdmVyaWZpZWQiOnRydWUsImdyb3VwcyI6WyJh"
    "IiwiYiJdfQ.F4lhbtzlsNinLEKrjko6SquG73XQmh5hNrgOhYREQ_U5hmMiDqoqJEtFmMqIIL2jXjso4BVA0"
    "ctjtRDf16icfPcuLxTJcyRbkg8vPxgA6UH03dv8d0Zj0UPf0zlbFz6DHzV9IazJB2hfrtPYp8DuWo0hXpqxW"
    "eg84wiRI9l9upwRNZgLvYP7h8O54lv4rPU62b8XGLn8iuh36fAGdtBPW3_jtkLPFttZW415aLych9uPnJ3Lt"
    "GQAqbM57_-hkPszHR9Ym6_Du5CNJ4GNGTFnpoAz1xt64Opj7A-BnyN7r9a2Xgqpzx0mErD6WJbgZAIqTr3Bj"
    "U2p4mm4SdhgJdNlZA",
    /* ES256 */
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVzMjU2In0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUub3JnIiwi"
    "YXVkIjoiY2xpZW50Iiwic3ViIjoiYWRhIiwibm9uY2UiOiJuIiwiaWF0IjoxMDAwMDAwLCJleHAiOjEwMDAz"
    "MDAsImVtYWlsIjoiYWRhQGV4YW1wbGUub3JnIiwiZW1haWxfdmVyaWZpZWQiOnRydWUsImdyb3VwcyI6WyJh"
    "IiwiYiJdfQ.hw8vfd8cygi6UlAUeUpdXdgLJmVSfx3lC1qZBZnen5y0D5C8PZEWmlr1hfvw-ASVtu2L3GDP2"
    "ePXRCsGzysG8g",
};
