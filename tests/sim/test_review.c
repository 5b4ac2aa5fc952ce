/* test_review.c - what a hostile reader of the engine tried: peers that are not who they say, that leave out steps, that
 * speak after the end; work that comes back late; configurations that change under an SA. */
#include "ike/sa.h"
#undef SECONDS
#undef MILLISECONDS
#include "support/sim.h"

static struct ike *engine(struct sim *s, int host)
{
    return (struct ike *)s->host[host].ike;
}

/* The oldest IKE SA of a host, seen from inside; NULL: none. */
static struct ike_sa *inside(struct sim *s, int host)
{
    struct list *all = &engine(s, host)->sas;
    return list_empty(all) ? NULL : list_entry(all->next, struct ike_sa, link);
}

/* From now on A behaves as if B had accepted it. */
static void pretend_established(struct ike_sa *sa)
{
    uint32_t next = sa->out ? sa->out->msgid + 1 : sa->next_send;
    xchg_free(sa->out);
    sa->out = NULL;
    sa->next_send = next;
    sa->state = SA_ESTABLISHED;
    sa->established_at = sa->ike->now;
    sa->die_at = 0;
}

static void ask(struct ike_sa *sa, enum task_kind kind, const struct ike_step *step)
{
    struct ike_task *t = agenda_add(sa, kind, step);
    if (t)
        t->cfg = &sa->conn->cfg->children[0];
    sa_arm(sa);
}

/* An SA that lingers only to repeat its last answer takes no requests: neither before nor after authentication. */
SIM_TEST(a_refused_peer_goes_on_regardless)
{
    sim_configure(s, .psk = "what A believes");
    sim_configure_host(s, B, .psk = "what B knows");
    sim_start(s);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MILLIS(25)); /* IKE_SA_INIT is through, IKE_AUTH under way */
    sim_link_from(s, B, .drop_mask = 1); /* the refusal is lost */
    sim_run(s, MILLIS(500));
    struct ike_sa *liar = inside(s, A), *dead = inside(s, B);
    expect(s, liar && dead && dead->state == SA_DEAD, "B has refused A");
    pretend_established(liar);
    if (s->seed & 1)
        ask(liar, TASK_NEW_CHILD, &step_new_child_req);
    else
        ask(liar, TASK_REKEY_IKE, &step_rekey_ike_req);
    sim_run(s, SECONDS(2));
    expect(s, simhost_children(&s->host[B]) == 0, "B has a Child SA with a stranger");
    expect(s, sim_sas(s, B) == 0, "B has an IKE SA with a stranger");
}

static const struct sim_case cases[] = {
    SIM_CASE(a_refused_peer_goes_on_regardless),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 10);
}
