/* redir.c - redirects (RFC 5685): a gateway sends its clients to another one, before, while or after they authenticate.
 * Both roles; client.c follows, server.c sends. */
#include "ike/ext/redir/redir.h"

struct adit_span redir_nonce_i(const struct ike_sa *sa)
{
    struct keymat_in in;
    sa_keymat_in(sa, &in);
    return in.nonce_i;
}

void redir_put(struct wr *w, uint16_t notify, const char *where, struct adit_span nonce)
{
    uint8_t mem[REDIR_WHERE_SIZE + 2];
    struct wr data;
    wr_init(&data, mem, sizeof(mem));
    if (redir_gateway_put(&data, where, nonce))
        notify_put(w, notify, wr_written(&data));
}

static bool withholds_child(struct ike_sa *sa, const struct ike_msg *msg)
{
    return sa_is_initiator(sa) ? redir_client_withholds(sa, msg) : redir_server_withholds(sa);
}

/* How often, from where and until when: that is the peer's, not this SA's. */
static void life(struct ike_sa *sa, enum sa_life what, struct ike_sa *other)
{
    const struct redir_state *s = what == LIFE_REKEYED ? ext_peek(sa, EXT_redir) : NULL;
    struct redir_state *o = s ? ext_sa(other, EXT_redir) : NULL;
    if (o)
        *o = *s;
}

static void mark(struct adit_ike_info *out, const char *name, const char *value)
{
    if (value[0] && out->n_marks < ARRAY_LEN(out->marks))
        out->marks[out->n_marks++] = (struct adit_option){ name, value };
}

static void status(struct ike_sa *sa, struct adit_ike_info *out)
{
    const struct redir_state *s = ext_peek(sa, EXT_redir);
    if (!s)
        return;
    mark(out, "redirected-from", s->from);
    mark(out, "redirected-to", s->to);
}

static const struct ike_announce announcements[] = {
    { .notify = N_REDIRECT_SUPPORTED, .exchange = XCHG_IKE_SA_INIT, .rule = REQUESTER_ONLY, .put = redir_announce },
    { .notify = N_REDIRECTED_FROM, .exchange = XCHG_IKE_SA_INIT, .rule = REQUESTER_ONLY, .put = redir_announce_from,
      .get = redir_heard_from },
};

static const struct ike_step *const steps[] = { &redir_init_req, &redir_auth_req, &redir_auth_resp, &redir_info_resp, NULL };

static const struct adit_option_def options[] = {
    { .key = "follow_redirects", .scope = ADIT_OPT_CONN, .type = ADIT_OPT_BOOL, .deflt = "yes", .owner = "redir",
      .doc = "as initiator: go to another gateway when the peer asks for it; identities and selectors stay as configured" },
    { .key = "redirect_to", .scope = ADIT_OPT_CONN, .type = ADIT_OPT_TEXT, .deflt = "", .owner = "redir",
      .doc = "as responder: send clients that can to this gateway, an address or a DNS name; empty: serve them" },
    { .key = "redirect_in", .scope = ADIT_OPT_CONN, .type = ADIT_OPT_WORD, .words = "init|auth", .deflt = "init",
      .owner = "redir",
      .doc = "when: at once and without any state, or when the client has authenticated itself (its connection's options)" },
    { .key = "redirect_above", .scope = ADIT_OPT_CONN, .type = ADIT_OPT_UINT, .deflt = "0", .owner = "redir",
      .doc = "only as long as there are so many IKE SAs; 0: always" },
    { .key = "redirect_time", .scope = ADIT_OPT_CONN, .type = ADIT_OPT_TIME, .deflt = "60", .owner = "redir",
      .doc = "a client that was sent elsewhere and stays is closed after this time; 0: never" },
};

const struct ike_ext ext_redir = {
    .id = EXT_redir,
    .name = "redir",
    .spec = "RFC 5685",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct redir_state),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .steps = steps,
    .on = { .turn_away = redir_turn_away,
            .withholds_child = withholds_child,
            .send_away = redir_send_away,
            .life = life,
            .deadline = redir_deadline,
            .timer = redir_timer,
            .status = status },
};
