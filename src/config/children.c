/* children.c - the sections of `children`. */
#include "config/load.h"
#include "wire/iana.h"

static bool has_32_bit(const struct proposal *p)
{
    for (uint8_t i = 0; i < p->n; i++)
        if (p->t[i].type == TT_SN && p->t[i].id == SN_32_BIT)
            return true;
    return false;
}

/* RFC 4303 s3.3.3: nothing would be left to offer. */
static bool only_64_bit(const struct proposal_list *list)
{
    for (uint16_t i = 0; list && i < list->n; i++)
        if (has_32_bit(&list->v[i]))
            return false;
    return list && list->n;
}

/* One address each, or the IKE SA's. */
static bool are_hosts(const struct adit_ts_cfg *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!v[i].dynamic && !span_equal(SPAN_ARRAY(v[i].ts.lo), SPAN_ARRAY(v[i].ts.hi)))
            return false;
    return true;
}

static void check_child(struct load *l, const struct config_node *section, const struct adit_child_cfg *child)
{
    bool policy = child->mode == ADIT_MODE_PASS || child->mode == ADIT_MODE_DROP;
    if (policy && (child->start_action & ADIT_ACTION_START))
        report_error(l->report, section,
                     "child '%s': a pass or drop policy can't be started; use start_action = trap",
                     section->name);
    else if (policy && !child->start_action)
        report_warning(l->report, section, "child '%s': the policy does nothing without start_action = trap",
                       section->name);
    for (uint16_t i = 0; policy && i < child->n_local_ts + child->n_remote_ts; i++) {
        const struct adit_ts_cfg *ts = i < child->n_local_ts ? &child->local_ts[i]
                                                             : &child->remote_ts[i - child->n_local_ts];
        if (ts->dynamic) {
            report_error(l->report, section,
                         "child '%s': a pass or drop policy needs fixed local_ts and remote_ts",
                         section->name);
            return;
        }
    }
    if (child->replay_window == 0 && only_64_bit(child->proposals))
        report_error(l->report, section,
                     "child '%s': without replay_window the receiver cannot follow 64-bit sequence numbers; add noesn to "
                     "esp_proposals, or set replay_window",
                     section->name);
    else if (child->replay_window == 0)
        report_warning(l->report, section, "child '%s' has no replay protection", section->name);
}

static void check_transport(struct load *l, const struct config_node *section, const struct adit_child_cfg *child)
{
    bool hosts = are_hosts(child->local_ts, child->n_local_ts) && are_hosts(child->remote_ts, child->n_remote_ts);
    if (child->mode == ADIT_MODE_TRANSPORT && !hosts)
        report_error(l->report, section,
                     "child '%s': mode = transport is between two hosts: leave local_ts and remote_ts out "
                     "(dynamic), or name the hosts' own addresses", section->name);
}

static bool has_family(const struct adit_ts_cfg *v, unsigned n, uint8_t family)
{
    for (unsigned i = 0; i < n; i++)
        if (v[i].dynamic || v[i].ts.family == family)
            return true;
    return false;
}

/* A packet has a source and a destination of the same IP version. */
static void check_families(struct load *l, const struct config_node *section,
                           const struct adit_child_cfg *child)
{
    for (uint8_t family = 4; family <= 6; family += 2) {
        if (has_family(child->local_ts, child->n_local_ts, family) &&
            has_family(child->remote_ts, child->n_remote_ts, family))
            return;
    }
    if (child->n_local_ts && child->n_remote_ts)
        report_error(l->report, section, "child '%s': local_ts and remote_ts are of different IP versions",
                     section->name);
}

/* Unless said otherwise what ends in whatever way comes back as it was begun: a tunnel that is to be up at the start is to
 * be up later, too. */
static void follow_start(const struct config_node *section, struct adit_child_cfg *out)
{
    if (!config_tree_get(section, CONFIG_VALUE, "dpd_action"))
        out->dpd_action = out->start_action;
    if (!config_tree_get(section, CONFIG_VALUE, "close_action"))
        out->close_action = out->start_action;
}

static void child_load(struct load *l, const struct config_node *section, struct adit_child_cfg *out)
{
    out->name = section->name;
    check_name(l, section);
    section_load(l, section, SCOPE_CHILD, out, NULL, NULL);
    follow_start(section, out);
    child_lifetimes(l, section, out);
    out->n_options = section_options(l, section, CONFIG_OPT_CHILD, &out->options);
    check_child(l, section, out);
    check_transport(l, section, out);
    check_families(l, section, out);
}

static size_t count_sections(const struct config_node *parent)
{
    size_t n = 0;
    for (const struct config_node *node = parent ? parent->first : NULL; node; node = node->next)
        n += node->kind == CONFIG_SECTION;
    return n;
}

void children_load(struct load *l, const struct config_node *sections, struct adit_conn *out)
{
    size_t n = count_sections(sections);
    struct adit_child_cfg *children = n ? load_new(l, n * sizeof(*children)) : NULL;
    if (n > UINT16_MAX)
        report_error(l->report, sections, "more than %d children", UINT16_MAX);
    if (n > UINT16_MAX || (n && !children))
        return;
    for (const struct config_node *node = sections ? sections->first : NULL; node; node = node->next) {
        if (node->kind == CONFIG_SECTION)
            child_load(l, node, &children[out->n_children++]);
        else if (node->kind == CONFIG_LIST || node->value.p)
            report_error(l->report, node, "'%s' stands in `children`, which holds sections only", node->name);
    }
    out->children = children;
}
