/* main.c: arguments and signals. */
#include <stdio.h>

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("tollgate " TOLLGATE_VERSION);
    return 0;
}
