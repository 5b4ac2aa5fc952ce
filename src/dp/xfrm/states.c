/* states.c - see states.h. */
#include "dp/xfrm/states.h"
#include <errno.h>
#include <time.h>
#include "base/mem.h"
#include "base/span.h"
#include "base/why.h"
#include "dp/xfrm/get.h"
#include "dp/xfrm/select.h"
#include "wire/iana.h"

#define MOVE_SKIP 65536 /* sequence numbers: no packet that leaves while a state moves may have one of the new state's */
#define SECOND UINT64_C(1000000000)

/* --- from the contract to the kernel's words --------------------------------------------------------------------------- */

static void common(struct xfrm_state_spec *s, const struct adit_child_spec *spec)
{
    s->reqid = spec->reqid;
    s->transport = spec->mode == ADIT_MODE_TRANSPORT;
    s->esn = spec->suite.sn == SN_64_BIT_PARTIAL;
    s->window = spec->replay_window;
    s->encr = xfrm_alg_encr(spec->suite.encr);
    s->integ = spec->suite.integ ? xfrm_alg_integ(spec->suite.integ) : NULL;
    s->no_ecn = !spec->copy_ecn;
    s->no_df = spec->df == ADIT_DF_CLEAR;
    s->dscp_in = spec->copy_dscp == ADIT_COPY_IN || spec->copy_dscp == ADIT_COPY_BOTH;
    s->no_dscp_out = spec->copy_dscp == ADIT_COPY_NO || spec->copy_dscp == ADIT_COPY_IN;
    s->life = spec->life;
    s->cpu = spec->resource ? spec->resource - 1 : XFRM_NO_CPU;
}

static void at(struct states *s, const struct adit_path *path, bool encap)
{
    s->in.src = s->out.dst = path->remote.addr;
    s->in.dst = s->out.src = path->local.addr;
    s->in.encap = s->out.encap = encap;
    s->in.encap_sport = s->out.encap_dport = path->remote.port;
    s->in.encap_dport = s->out.encap_sport = path->local.port;
}

/* One block: in.encr, in.integ, out.encr, out.integ. */
static enum adit_rc keep_keys(struct states *s, const struct adit_child_spec *spec)
{
    const struct adit_span part[] = { spec->in.encr, spec->in.integ, spec->out.encr, spec->out.integ };
    struct adit_span *to[] = { &s->in.encr_key, &s->in.integ_key, &s->out.encr_key, &s->out.integ_key };
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(part); i++)
        n += part[i].n;
    TRY(secret_alloc(&s->keys, n ? n : 1));
    uint8_t *p = s->keys.p;
    for (size_t i = 0; i < ARRAY_LEN(part); i++) {
        *to[i] = span(p, part[i].n);
        p = span_copy(p, part[i]);
    }
    return ADIT_OK;
}

static void forget_keys(struct states *s)
{
    secret_fini(&s->keys);
    s->in.encr_key = s->in.integ_key = s->out.encr_key = s->out.integ_key = SPAN_NONE;
}

enum adit_rc states_init(struct states *s, const struct adit_child_spec *spec, const struct xfrm_selector *sel, uint32_t mark)
{
    *s = (struct states){ 0 };
    common(&s->in, spec);
    common(&s->out, spec);
    s->in.inbound = true;
    s->in.spi = spec->in.spi;
    s->out.spi = spec->out.spi;
    s->out.sel = *sel;
    s->in.sel = xfrm_selector_turned(sel);
    s->out.mark = mark;
    at(s, &spec->path, spec->udp_encap);
    return keep_keys(s, spec);
}

void states_fini(struct states *s)
{
    forget_keys(s);
}

/* --- requests -------------------------------------------------------------------------------------------------------------- */

static int tell(struct net_xfrm *nl, struct xfrm_msg *m, struct net_words *words)
{
    if (words)
        words->text[0] = 0;
    int rc = m->fail ? -EMSGSIZE : net_xfrm_call(nl, m->p, m->n, NULL, 0, words);
    xfrm_msg_wipe(m);
    return rc;
}

int states_put_in(struct states *s, struct net_xfrm *nl, bool first_packet, struct net_words *words)
{
    struct xfrm_state_spec in = s->in;
    struct xfrm_msg m;
    if (first_packet)
        in.life.soft_packets = 1;
    xfrm_put_state(&m, &in, false);
    int rc = tell(nl, &m, words);
    s->in_there = rc == 0;
    return rc;
}

int states_put_out(struct states *s, struct net_xfrm *nl, struct net_words *words)
{
    struct xfrm_msg m;
    xfrm_put_state(&m, &s->out, false);
    int rc = tell(nl, &m, words);
    if (rc)
        return rc;
    s->out_there = true;
    xfrm_put_state(&m, &s->in, true);
    rc = s->in_there ? tell(nl, &m, words) : 0;
    forget_keys(s);
    return rc;
}

static void del(struct net_xfrm *nl, const struct xfrm_state_spec *s)
{
    struct xfrm_msg m;
    xfrm_put_del_state(&m, &(struct xfrm_state_id){ s->dst, s->spi });
    (void)tell(nl, &m, NULL); /* the kernel may have removed it at its hard limit */
}

void states_del_in(struct states *s, struct net_xfrm *nl)
{
    if (s->in_there)
        del(nl, &s->in);
    s->in_there = false;
}

void states_del_out(struct states *s, struct net_xfrm *nl)
{
    if (s->out_there)
        del(nl, &s->out);
    s->out_there = false;
}

/* The kernel's answer in m; 0 or -errno. */
static int ask(struct net_xfrm *nl, const struct xfrm_state_spec *s, struct xfrm_msg *m)
{
    struct xfrm_msg question;
    xfrm_put_get_state(&question, &(struct xfrm_state_id){ s->dst, s->spi });
    int n = net_xfrm_call(nl, question.p, question.n, m->p, sizeof(m->p), NULL);
    m->n = n > 0 ? (size_t)n : 0;
    return n < 0 ? n : n == 0 ? -ENOENT : 0;
}

/* --- to other addresses ------------------------------------------------------------------------------------------------------ */

static int move_one(struct net_xfrm *nl, const struct xfrm_state_spec *from, const struct xfrm_state_spec *to)
{
    struct xfrm_move move = { to->src, to->dst, to->encap, to->encap_sport, to->encap_dport, MOVE_SKIP };
    struct xfrm_msg old, fresh;
    int rc = ask(nl, from, &old);
    if (!rc && !xfrm_put_moved(&fresh, span(old.p, old.n), &move))
        rc = -EINVAL;
    xfrm_msg_wipe(&old);
    if (!rc) {
        del(nl, from);
        rc = tell(nl, &fresh, NULL);
    }
    xfrm_msg_wipe(&fresh);
    return rc;
}

int states_move(struct states *s, struct net_xfrm *nl, const struct adit_path *path, bool encap)
{
    struct xfrm_state_spec in = s->in, out = s->out;
    at(s, path, encap);
    int rc = s->out_there ? move_one(nl, &out, &s->out) : 0, e = s->in_there ? move_one(nl, &in, &s->in) : 0;
    return rc ? rc : e;
}

/* --- counts -------------------------------------------------------------------------------------------------------------------- */

/* Kernels before 6.2 don't say when a state was used last: then it is when we see that it was. */
static uint64_t used_at(const struct xfrm_state_info *i, uint64_t packets_before, uint64_t at_before, uint64_t now)
{
    uint64_t today = (uint64_t)time(NULL), ago;
    if (!i->last_used)
        return i->packets != packets_before ? now : at_before;
    ago = today > i->last_used ? (today - i->last_used) * SECOND : 0;
    return now > ago ? now - ago : 0;
}

void states_count(struct states *s, struct net_xfrm *nl, uint64_t now)
{
    struct adit_child_stats *c = &s->last;
    struct xfrm_state_info i;
    struct xfrm_msg m;
    if (s->in_there && ask(nl, &s->in, &m) == 0 && xfrm_state_get(span(m.p, m.n), &i)) {
        c->last_in_at = used_at(&i, c->packets_in, c->last_in_at, now);
        c->bytes_in = i.bytes;
        c->packets_in = i.packets;
        c->errors_in = i.failed;
    }
    if (s->out_there && ask(nl, &s->out, &m) == 0 && xfrm_state_get(span(m.p, m.n), &i)) {
        c->last_out_at = used_at(&i, c->packets_out, c->last_out_at, now);
        c->bytes_out = i.bytes;
        c->packets_out = i.packets;
    }
    xfrm_msg_wipe(&m);
}
