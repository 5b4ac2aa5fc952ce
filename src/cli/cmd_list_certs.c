/* cmd_list_certs.c - adit list-certs: who, until when, with a key or not. */
#include <time.h>
#include "cli/cli.h"
#include "model/model.h"
#include "pki/pki.h"

static void print_validity(const struct pki_cert *cert)
{
    char until[32] = "";
    time_t end = (time_t)pki_cert_not_after(cert), now = time(NULL);
    struct tm tm;
    if (gmtime_r(&end, &tm))
        strftime(until, sizeof(until), "%Y-%m-%d", &tm);
    if (end < now)
        printf("  EXPIRED %s\n", until);
    else
        printf("  valid until %s (%lld days)\n", until, (long long)(end - now) / 86400);
}

static void each(void *arg, const char *event, const struct vici_node *m)
{
    const struct vici_node *data = vici_child(m, "data");
    const char *flag = vici_text(m, "flag"), *type = vici_text(m, "type");
    struct adit_why why = { 0 };
    struct adit_crypto *crypto = adit_crypto_new(NULL, NULL, &why);
    struct pki_cert *cert = NULL;
    STRBUF(subject, 512);
    if (crypto && data && pki_cert_parse(crypto, data->value, &cert, &why) == ADIT_OK) {
        pki_cert_subject(cert, &subject);
        printf("%s%s%s\n", subject.p, flag && *flag == 'C' ? "  [CA]" : "",
               vici_text(m, "has_privkey") ? "  [private key loaded]" : "");
        print_validity(cert);
    } else {
        printf("%s, %zu octets\n", type ? type : "?", data ? data->value.n : 0);
    }
    pki_cert_free(cert);
    adit_crypto_free(crypto);
}

int cmd_list_certs(const struct cli_args *a)
{
    return out_simple(&(struct cli_simple){ .command = "list-certs", .event = "list-cert", .each = each }, a);
}
