/* daemon.c - adit.conf: section `adit`, the daemon's own settings. */
#include "config/load.h"
#include "config/settings.h"

static bool inside_daemon(struct load *l, const struct config_node *section, void *arg)
{
    if (strcmp(section->name, "vici"))
        return false;
    section_load(l, section, SCOPE_DAEMON_VICI, arg, NULL, NULL);
    return true;
}

/* The file's section `adit`; NULL if there is no such file or section. */
static const struct config_node *read_section(struct load *l, const char *path)
{
    struct config_node *root = NULL;
    struct adit_why why = { 0 };
    enum adit_rc rc = path ? settings_read(l->src->io, path, l->arena, l->report, &root, &why)
                           : ADIT_ERR_NOT_FOUND;
    l->no_memory |= rc == ADIT_ERR_MEMORY;
    if (rc != ADIT_OK && rc != ADIT_ERR_NOT_FOUND)
        report_at(l->report, false, ((struct place){ .file = path }), "%s", why.text);
    if (rc != ADIT_OK)
        return NULL;
    for (const struct config_node *node = root->first; node; node = node->next) {
        bool known = node->kind == CONFIG_SECTION &&
                     (!strcmp(node->name, "adit") || settings_is_template(node));
        if (!known && (node->kind == CONFIG_SECTION || node->value.p))
            report_error(l->report, node, "'%s': all settings stand in section `adit`", node->name);
    }
    return config_tree_get(root, CONFIG_SECTION, "adit");
}

static bool is_port(const char *text)
{
    unsigned long v = 0;
    for (; *text >= '0' && *text <= '9' && v <= UINT16_MAX; text++)
        v = v * 10 + (unsigned long)(*text - '0');
    return !*text && v > 0 && v <= UINT16_MAX;
}

static void check_tcp_ports(struct load *l, const struct config_node *at, const struct config_daemon *d)
{
    for (uint16_t i = 0; i < d->n_tcp_ports; i++)
        if (!is_port(d->tcp_ports[i]) && (d->n_tcp_ports > 1 || strcmp(d->tcp_ports[i], "none")))
            report_error(l->report, at, "tcp_ports: '%s' is no port (1 to 65535, with commas between; or none)",
                         d->tcp_ports[i]);
}

static void check_daemon(struct load *l, const struct config_node *section, const struct config_daemon *d)
{
    struct config_node nowhere = { .file = "" };
    const struct config_node *at = section ? section : &nowhere;
    if (d->ike.port && d->ike.port == d->ike.port_nat_t)
        report_error(l->report, at, "port and port_nat_t are the same");
    if (d->ike.half_open_timeout_s == 0)
        report_error(l->report, at, "half_open_timeout must be at least 1 second");
    if (d->ike.retransmit_base < 1)
        report_error(l->report, at, "retransmit_base must be at least 1");
    struct ke_pool pool;
    struct adit_why why = { 0 };
    if (ke_pool_parse(d->ike.ke_pool, &pool, &why) != ADIT_OK)
        report_error(l->report, at, "%s", why.text);
    if (d->mtu && d->mtu < 1280) /* RFC 8200 s5 */
        report_error(l->report, at, "mtu must be at least 1280, or 0");
    check_tcp_ports(l, at, d);
    if (d->ike_keylog || d->esp_keylog)
        report_warning(l->report, at, "a keylog is on: who reads it reads the traffic");
}

/* In the file 0 switches cookies off, in the engine it means the default. */
static uint32_t threshold(uint32_t v)
{
    return v ? v : UINT32_MAX;
}

enum adit_rc config_daemon_load(const struct config_source *src, const char *path, struct arena *arena,
                                struct config_daemon *out, struct config_report *report)
{
    struct load l = { .src = src, .report = report, .arena = arena, .dir = "." };
    unsigned errors = report->errors;
    *out = (struct config_daemon){ 0 };
    const struct config_node *section = read_section(&l, path);
    section_load(&l, NULL, SCOPE_DAEMON_VICI, out, NULL, NULL);
    section_load(&l, section, SCOPE_DAEMON, out, inside_daemon, out);
    out->ike.n_options = section_options(&l, section, CONFIG_OPT_DAEMON, &out->ike.options);
    out->ike.cookie_threshold = threshold(out->ike.cookie_threshold);
    out->ike.cookie_threshold_ip = threshold(out->ike.cookie_threshold_ip);
    check_daemon(&l, section, out);
    if (l.no_memory)
        return ADIT_ERR_MEMORY;
    return report->errors == errors ? ADIT_OK : ADIT_ERR_CONFIG;
}
