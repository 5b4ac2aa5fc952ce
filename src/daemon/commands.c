/* commands.c - the lists of commands and events, and how arguments are read. */
#include <inttypes.h>
#include "daemon/cmd.h"

bool cmd_int(struct vici_call *call, const char *key, int64_t lo, int64_t hi, int64_t *out)
{
    struct adit_why why = { 0 };
    int64_t value = *out;
    if (vici_get_int(vici_call_args(call), key, &value, &why) != ADIT_OK) {
        vici_call_fail(call, "%s", why.text);
        return false;
    }
    if (value < lo || value > hi) {
        vici_call_fail(call, "%s = %" PRId64 ": must be %" PRId64 " to %" PRId64, key, value, lo, hi);
        return false;
    }
    *out = value;
    return true;
}

bool cmd_bool(struct vici_call *call, const char *key, bool *out)
{
    struct adit_why why = { 0 };
    if (vici_get_bool(vici_call_args(call), key, out, &why) == ADIT_OK)
        return true;
    vici_call_fail(call, "%s", why.text);
    return false;
}

bool cmd_selectors(struct vici_call *call, struct adit_command *cmd)
{
    int64_t ike_id = 0, child_id = 0;
    if (!cmd_int(call, "ike-id", 0, UINT32_MAX, &ike_id) ||
        !cmd_int(call, "child-id", 0, UINT32_MAX, &child_id))
        return false;
    cmd->conn = cmd_text(call, "ike");
    cmd->child = cmd_text(call, "child");
    cmd->ike_id = (uint32_t)ike_id;
    cmd->child_id = (uint32_t)child_id;
    if (cmd->conn || cmd->child || ike_id || child_id)
        return true;
    vici_call_fail(call, "%s needs ike, ike-id, child or child-id", vici_call_name(call));
    return false;
}

const char *const daemon_events[] = {
    "log",         "control-log",    "list-sa",     "list-policy",  "list-conn",
    "list-cert",   "list-authority", "ike-updown",  "ike-rekey",    "child-updown",
    "child-rekey", "alert",          "adit-status", "adit-metrics", NULL
};

const struct vici_command daemon_commands[] = {
    { "version", cmd_version },
    { "stats", cmd_stats },
    { "initiate", cmd_initiate },
    { "terminate", cmd_terminate },
    { "rekey", cmd_rekey },
    { "redirect", cmd_redirect },
    { "install", cmd_install },
    { "uninstall", cmd_uninstall },
    { "list-sas", cmd_list_sas },
    { "list-policies", cmd_list_policies },
    { "list-conns", cmd_list_conns },
    { "get-conns", cmd_get_conns },
    { "load-conn", cmd_load_conn },
    { "unload-conn", cmd_unload_conn },
    { "clear-creds", cmd_clear_creds },
    { "load-cert", cmd_load_cert },
    { "load-key", cmd_load_key },
    { "load-token", cmd_load_token },
    { "load-shared", cmd_load_shared },
    { "unload-key", cmd_unload_key },
    { "unload-shared", cmd_unload_shared },
    { "get-keys", cmd_get_keys },
    { "get-shared", cmd_get_shared },
    { "flush-certs", cmd_flush_certs },
    { "list-certs", cmd_list_certs },
    { "load-authority", cmd_load_authority },
    { "unload-authority", cmd_unload_authority },
    { "get-authorities", cmd_get_authorities },
    { "list-authorities", cmd_list_authorities },
    { "load-pool", cmd_load_pool },
    { "unload-pool", cmd_unload_pool },
    { "get-pools", cmd_get_pools },
    { "get-algorithms", cmd_get_algorithms },
    { "get-counters", cmd_get_counters },
    { "reset-counters", cmd_reset_counters },
    { "reload-settings", cmd_reload_settings },
    { "adit-load", cmd_adit_load },
    { "adit-metrics", cmd_adit_metrics },
    { "adit-status", cmd_adit_status },
    { "adit-counters", cmd_adit_counters },
    { NULL, NULL },
};
