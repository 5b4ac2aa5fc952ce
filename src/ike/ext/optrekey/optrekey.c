/* optrekey.c - rekeying without SA and TS payloads (draft-ietf-ipsecme-ikev2-sa-ts-payloads-opt): one notify carries the new
 * SPI, everything but keys and SPIs is inherited. Only when both have said in IKE_AUTH that they can. */
#include "ike/ext.h"

static bool option_is(const struct ike_sa *sa, const char *word)
{
    return span_equal(span_str(sa_option(sa, "optrekey")), span_str(word));
}

/* The notifies have no numbers of IANA yet: `yes` says that the peer means the same by ours. */
static bool may_use(struct ike_sa *sa)
{
    return option_is(sa, "yes") || (option_is(sa, "auto") && sa_shares_private(sa));
}

/* The Child SA of IKE_AUTH has no key exchange that could be inherited: its first rekeying settles it (s5.1). */
static bool may(const struct ike_pending *p)
{
    struct ike_sa *sa = pending_sa(p);
    return ext_agreed(sa, EXT_optrekey) && pending_ke_settled(p) && pending_config_stands(p);
}

/* Not agreed on, it is an unknown status notify beside a whole SA payload, and a broken request without one. */
static bool is(struct ike_sa *sa, const struct ike_msg *request)
{
    struct notify n;
    if (!msg_notify(request, N_OPTIMIZED_REKEY, &n))
        return false;
    return ext_agreed(sa, EXT_optrekey) || !msg_find(request, PLD_SA);
}

/* The SPI is data of the notify, not its SPI field. */
static void put(struct wr *w, struct adit_span spi)
{
    notify_put(w, N_OPTIMIZED_REKEY, spi);
}

static bool has_more(const struct ike_msg *msg)
{
    return msg_find(msg, PLD_SA) || msg_find(msg, PLD_TSi) || msg_find(msg, PLD_TSr);
}

static enum adit_rc get(struct ike_sa *sa, const struct ike_msg *msg, size_t spi_n, struct adit_span *spi,
                        struct adit_why *why)
{
    struct notify n;
    unsigned found = 0;
    if (!ext_agreed(sa, EXT_optrekey))
        return why_set(why, ADIT_ERR_PROPOSAL, "optimized rekeying was not agreed on");
    for (uint16_t i = 0; msg_next_notify(msg, &i, &n);)
        if (n.type == N_OPTIMIZED_REKEY) {
            *spi = n.data;
            found++;
        }
    if (found != 1)
        return why_set(why, ADIT_ERR_MALFORMED, "%u OPTIMIZED_REKEY notifies", found);
    if (has_more(msg))
        return why_set(why, ADIT_ERR_MALFORMED, "OPTIMIZED_REKEY beside SA or TS payloads");
    if (spi->n != spi_n)
        return why_set(why, ADIT_ERR_MALFORMED, "OPTIMIZED_REKEY with an SPI of %zu octets", spi->n);
    return ADIT_OK;
}

static void status(struct ike_sa *sa, struct adit_ike_info *out)
{
    out->short_rekeys = sa_is_established(sa) && ext_agreed(sa, EXT_optrekey);
}

static const struct ike_rekey_form form = { .may = may, .is = is, .put = put, .get = get };

static const struct ike_announce announcements[] = {
    { .notify = N_OPTIMIZED_REKEY_SUPPORTED, .exchange = XCHG_IKE_AUTH, .rule = BOTH_SENT },
};

static const struct adit_option_def options[] = {
    { .key = "optrekey",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "no|auto|yes",
      .deflt = "auto",
      .owner = "optrekey",
      .doc = "rekey without SA and TS payloads: never, with peers that show Adit's Vendor ID, or with all that can" },
};

const struct ike_ext ext_optrekey = {
    .id = EXT_optrekey,
    .name = "optrekey",
    .spec = "draft-ietf-ipsecme-ikev2-sa-ts-payloads-opt",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .rekey_form = &form,
    .on = { .may_use = may_use, .status = status },
};
