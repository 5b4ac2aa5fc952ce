/* main.c - aditd: its command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "daemon/check.h"
#include "daemon/daemon.h"

#define CONFIG_DEFAULT "/etc/adit/adit.conf"

static void usage(FILE *to)
{
    fputs("usage: aditd [options]\n"
          "  --config FILE        settings of the daemon (" CONFIG_DEFAULT ")\n"
          "  --swanctl-conf FILE  connections; overrides the settings' swanctl_conf\n"
          "  --socket PATH        control socket; overrides the settings' vici.sockets\n"
          "  --no-dataplane       negotiate only: no TUN, no packets\n"
          "  --foreground         stay in the foreground (aditd always does)\n"
          "  --debug N            log level: 0 what matters, 1 each step, 2 more, 3 everything\n"
          "  --check              read all files, say what is wrong, and exit\n"
          "  --version, --help\n"
          "see aditd(8), adit.conf(5)\n",
          to);
}

enum {
    OPT_CONFIG = 256,
    OPT_SWANCTL,
    OPT_SOCKET,
    OPT_NO_DP,
    OPT_FOREGROUND,
    OPT_DEBUG,
    OPT_CHECK,
    OPT_VERSION,
    OPT_HELP
};
static const struct option options[] = {
    { "config", required_argument, NULL, OPT_CONFIG },
    { "swanctl-conf", required_argument, NULL, OPT_SWANCTL },
    { "socket", required_argument, NULL, OPT_SOCKET },
    { "no-dataplane", no_argument, NULL, OPT_NO_DP },
    { "foreground", no_argument, NULL, OPT_FOREGROUND },
    { "debug", required_argument, NULL, OPT_DEBUG },
    { "check", no_argument, NULL, OPT_CHECK },
    { "version", no_argument, NULL, OPT_VERSION },
    { "help", no_argument, NULL, OPT_HELP },
    { 0 },
};

static int parse_level(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (*end || end == text || n < 0 || n > ADIT_LOG_DEBUG) {
        fprintf(stderr, "aditd: --debug %s: must be 0 to %d\n", text, ADIT_LOG_DEBUG);
        exit(2);
    }
    return (int)n;
}

/* Exits for --help, --version and mistakes. */
static bool parse(int argc, char **argv, struct daemon_options *out)
{
    bool check = false;
    int c;
    *out = (struct daemon_options){ .config = CONFIG_DEFAULT, .debug = -1 };
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case OPT_CONFIG: out->config = optarg; break;
        case OPT_SWANCTL: out->swanctl_conf = optarg; break;
        case OPT_SOCKET: out->socket = optarg; break;
        case OPT_NO_DP: out->no_dataplane = true; break;
        case OPT_FOREGROUND: break;
        case OPT_DEBUG: out->debug = parse_level(optarg); break;
        case OPT_CHECK: check = true; break;
        case OPT_VERSION: puts("aditd " ADIT_VERSION); exit(0);
        case OPT_HELP: usage(stdout); exit(0);
        default: usage(stderr); exit(2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "aditd: '%s' is no option\n", argv[optind]);
        usage(stderr);
        exit(2);
    }
    return check;
}

int main(int argc, char **argv)
{
    static struct daemon d;
    struct adit_why why = { 0 };
    setvbuf(stderr, NULL, _IOLBF, 0);
    if (parse(argc, argv, &d.opt))
        return check_files(&d.opt);
    enum adit_rc rc = daemon_start(&d, &why);
    if (rc != ADIT_OK)
        fprintf(stderr, "aditd: %s\n", why.text);
    int code = rc == ADIT_OK ? daemon_run(&d) : 1;
    daemon_free(&d);
    if (d.abandoned)
        _exit(code); /* exit() would wait for libuv's threads */
    return code;
}
