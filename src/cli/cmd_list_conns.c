/* cmd_list_conns.c - adit list-conns. */
#include <string.h>
#include "cli/cli.h"

static void build(struct vici_build *b, const struct cli_args *a)
{
    vici_str(b, "ike", a->ike);
}

static const char *list(const struct vici_node *node, const char *name)
{
    static char text[1024];
    return format_list(text, sizeof(text), vici_child(node, name), ", ");
}

/* "AES_GCM_16_256 / PRF_HMAC_SHA2_384 / CURVE_25519 / ML_KEM_768": one line a proposal. */
static void print_proposals(const char *indent, const struct vici_node *section)
{
    vici_for_each(p, section)
    {
        printf("%s", indent);
        vici_for_each(kind, p)
        {
            char text[512];
            printf("%s%s", kind == p->first ? "" : "  ", format_list(text, sizeof(text), kind, "|"));
        }
        puts("");
    }
}

static void print_round(const struct vici_node *r)
{
    const char *id = vici_text(r, "id"), *class = vici_text(r, "class");
    char certs[1024];
    format_list(certs, sizeof(certs), vici_child(r, "certs"), "; ");
    printf("  %-9s %s%s%s%s%s\n", r->name, class ? class : "", id ? ", id " : "", id ? id : "",
           certs[0] ? ", certificate " : "", certs);
}

static void print_child(const struct vici_node *c)
{
    char remote[1024];
    format_list(remote, sizeof(remote), vici_child(c, "remote-ts"), ", ");
    printf("  child %s: %s, start %s, on close %s, on dead peer %s\n", c->name, vici_text(c, "mode"),
           vici_text(c, "start_action"), vici_text(c, "close_action"), vici_text(c, "dpd_action"));
    printf("    %s === %s\n", list(c, "local-ts"), remote);
    print_proposals("    ", vici_child(c, "esp_proposals"));
}

static void print_conn(const struct vici_node *c)
{
    char remote[512];
    const char *source = vici_text(c, "source");
    format_list(remote, sizeof(remote), vici_child(c, "remote_addrs"), ", ");
    printf("%s%s%s%s\n", c->name, source ? "  (" : "", source ? source : "", source ? ")" : "");
    printf("  %s -> %s\n", list(c, "local_addrs"), remote);
    print_proposals("  ", vici_child(c, "proposals"));
    vici_for_each(it, c) if (it->kind == VICI_SECTION && (!strncmp(it->name, "local-", 6) ||
                                                          !strncmp(it->name, "remote-", 7))) print_round(it);
    vici_for_each(it, vici_child(c, "children")) print_child(it);
}

static void each(void *arg, const char *event, const struct vici_node *m)
{
    if (m->first)
        print_conn(m->first);
}

int cmd_list_conns(const struct cli_args *a)
{
    return out_simple(
        &(struct cli_simple){ .command = "list-conns", .event = "list-conn", .build = build, .each = each },
        a);
}
