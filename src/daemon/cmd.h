/* cmd.h - every VICI command: cmd_<name>.c has one, or a small family. Each answers the call, now or later. */
#ifndef DAEMON_CMD_H
#define DAEMON_CMD_H

#include "daemon/daemon.h"
#include "daemon/reply.h"

/* A text argument, NULL if it is absent or empty. */
static inline const char *cmd_text(const struct vici_call *call, const char *key)
{
    const char *s = vici_text(vici_call_args(call), key);
    return s && *s ? s : NULL;
}
/* A number argument from lo to hi, *out unchanged if absent; false: the call has been answered with the reason. */
bool cmd_int(struct vici_call *call, const char *key, int64_t lo, int64_t hi, int64_t *out);
bool cmd_bool(struct vici_call *call, const char *key, bool *out);
/* ike, ike-id, child, child-id of terminate and rekey; false: answered. */
bool cmd_selectors(struct vici_call *call, struct adit_command *cmd);

/* cmd_load_conn.c: a VICI section as the loader's tree; false: memory is out. */
bool cmd_convert(struct arena *arena, const struct vici_node *from, struct config_node *to);

vici_command_fn cmd_version, cmd_stats, cmd_initiate, cmd_terminate, cmd_rekey, cmd_redirect, cmd_install,
    cmd_uninstall, cmd_list_sas, cmd_list_policies, cmd_list_conns, cmd_get_conns, cmd_load_conn,
    cmd_unload_conn, cmd_clear_creds, cmd_load_cert, cmd_load_key, cmd_load_token, cmd_load_shared,
    cmd_unload_key, cmd_unload_shared, cmd_get_keys, cmd_get_shared, cmd_flush_certs, cmd_list_certs,
    cmd_load_authority, cmd_unload_authority, cmd_get_authorities, cmd_list_authorities, cmd_load_pool,
    cmd_unload_pool, cmd_get_pools, cmd_get_algorithms, cmd_get_counters, cmd_reset_counters,
    cmd_reload_settings, cmd_adit_load, cmd_adit_metrics, cmd_adit_status, cmd_adit_counters;

#endif
