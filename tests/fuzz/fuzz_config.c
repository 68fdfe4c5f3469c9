/* A configuration file: read whole, or refused with a sentence. */
#include "fuzz.h"

#include <unistd.h>

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/tollgate-fuzz-config-XXXXXX", fault[CONFIG_FAULT_SIZE] = "";
    int fd = mkstemp(path);
    struct config config;
    FILE *nowhere;
    int r;

    HOLDS(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    r = config_load(path, NULL, 0, "/nowhere/bin/tollgate", &config, fault);
    if (r == CONFIG_OK) {
        HOLDS(config.port > 0 && config.port < 65536 && config.loops > 0);
        nowhere = fopen("/dev/null", "w");
        HOLDS(nowhere);
        config_print(&config, nowhere);
        fclose(nowhere);
        config_done(&config);
    } else {
        HOLDS(fault[0]);
    }
    unlink(path);
    return 0;
}
