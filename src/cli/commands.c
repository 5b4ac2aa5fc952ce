/* commands.c - the list of subcommands. Their options are letters of options.c's table. */
#include "cli/cli.h"

const struct cli_command cli_commands[] = {
    { "version", "js", "", "version of adit and of the running daemon", 0, 0, cmd_version },
    { "load", "jse", "", "read the configuration files again: all of them, or nothing changes", 0, 0,
      cmd_load },
    { "check", "jC", "[FILE]", "say what is wrong in a configuration file; needs no daemon", 0, 1,
      cmd_check },
    { "explain", "Cn", "[FILE]", "what a configuration file means, with every default; needs no daemon", 0, 1,
      cmd_explain },
    { "initiate", "jsictl", "", "bring a connection or child up, and show how it goes", 0, 0, cmd_initiate },
    { "terminate", "jsicIXftl", "", "close SAs", 0, 0, cmd_terminate },
    { "rekey", "jsicIXr", "", "replace the keys of SAs", 0, 0, cmd_rekey },
    { "redirect", "jsiIpP", "GATEWAY", "send clients to another gateway (RFC 5685)", 1, 1, cmd_redirect },
    { "list-sas", "jsicIXu", "", "what is up, and what is configured but down, and why", 0, 0, cmd_list_sas },
    { "list-conns", "jsi", "", "the configuration in force", 0, 0, cmd_list_conns },
    { "list-pools", "jsnL", "", "pools of virtual addresses, and who has which", 0, 0, cmd_list_pools },
    { "list-certs", "js", "", "loaded certificates", 0, 0, cmd_list_certs },
    { "list-algs", "js", "", "algorithms that this build offers", 0, 0, cmd_list_algs },
    { "log", "js", "", "follow the daemon's log", 0, 0, cmd_log },
    { "stats", "js", "", "how the daemon is", 0, 0, cmd_stats },
    { "metrics", "js", "", "OpenMetrics text for monitoring", 0, 0, cmd_metrics },
    { "counters", "jsnaR", "", "what the IKE engine counted", 0, 0, cmd_counters },
    { "conformance", "jOkqQAdDgGyYSwNETtobBU", "[PEER]", "how a daemon of your own takes misbehaviour, by the RFC's sections", 0, 1,
      cmd_conformance },
    { "help", "", "", "this list", 0, 1, cmd_help },
    { NULL, NULL, NULL, NULL, 0, 0, NULL },
};
