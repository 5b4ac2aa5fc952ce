/* test_collide.c - crossing exchanges: RFC 7296 s2.25 cell by cell, and the rule of the lowest nonce (s2.8.1). */
#include <stdio.h>
#include "core.h"

/* What we are doing when the peer's request comes. MORE: our CREATE_CHILD_SA is answered, further key exchanges run. */
enum busy {
    NOTHING,
    CREATING,
    REKEYING_CHILD,
    MORE_FOR_CHILD,
    DELETING_CHILD,
    REKEYING_IKE,
    MORE_FOR_IKE,
    DELETING_IKE,
    BUSIES
};
static const char *const busy_names[BUSIES] = { "nothing",
                                                "creating a Child SA",
                                                "rekeying this Child SA",
                                                "rekeying this Child SA, more key exchanges",
                                                "deleting this Child SA",
                                                "rekeying the IKE SA",
                                                "rekeying the IKE SA, more key exchanges",
                                                "deleting the IKE SA" };

struct scene {
    struct ike *ike;
    struct ike_sa *sa;
    struct ike_child *child, *other;
    struct ike_xchg x;
    struct ike_task task;
};

static void pend(struct scene *s, enum pending_kind kind, uint32_t old_child)
{
    struct ike_pending *p = pending_new(s->sa, kind, true);
    assert_non_null(p);
    p->old_child = old_child;
    p->linked = true;
    list_append(&s->sa->pendings, &p->link);
}

static void work_on(struct scene *s, enum task_kind kind, uint32_t child_id)
{
    s->task = (struct ike_task){ .kind = kind, .child_id = child_id };
    s->x = (struct ike_xchg){ .ike = s->ike, .sa = s->sa, .task = &s->task };
    list_append(&s->sa->out, &s->x.link);
}

static void set(struct scene *s, enum busy busy)
{
    *s = (struct scene){ 0 };
    s->ike = core_new();
    s->sa = core_sa(s->ike, true);
    s->child = core_child(s->sa);
    s->other = core_child(s->sa);
    switch (busy) {
    case CREATING: work_on(s, TASK_NEW_CHILD, 0); break;
    case REKEYING_CHILD: work_on(s, TASK_REKEY_CHILD, s->child->id); break;
    case MORE_FOR_CHILD: pend(s, PENDING_REKEY_CHILD, s->child->id); break;
    case DELETING_CHILD: work_on(s, TASK_DELETE_CHILD, s->child->id); break;
    case REKEYING_IKE: work_on(s, TASK_REKEY_IKE, 0); break;
    case MORE_FOR_IKE: pend(s, PENDING_REKEY_IKE, 0); break;
    case DELETING_IKE: work_on(s, TASK_DELETE_IKE, 0); break;
    default: break;
    }
}

static void strike(struct scene *s)
{
    if (s->x.sa)
        list_remove(&s->x.link);
    buf_fini(&s->task.crossing_nonce);
    core_free(s->ike);
}

static bool may(struct scene *s, enum collide_kind kind, struct ike_child *about)
{
    struct adit_why why = { 0 };
    enum adit_rc rc = collide_request(s->sa, kind, about, &why);
    assert_true(rc == ADIT_OK || (rc == ADIT_ERR_TEMPORARY && why.text[0]));
    return rc == ADIT_OK;
}

static void each_request_against_each_thing_we_do(void **state)
{
    static const struct {
        const char *what;
        enum collide_kind kind;
        bool about_child;
        bool may[BUSIES];
    } rows[] = {
        /*                                                        -  crea rekC rC+ delC rekI rI+ delI */
        { "a new Child SA", COLLIDE_NEW_CHILD, false, { true, true, true, true, true, false, false, false } },
        { "rekeying the Child SA",
          COLLIDE_REKEY_CHILD,
          true,
          { true, true, true, false, false, false, false, false } },
        { "deleting the Child SA",
          COLLIDE_DELETE_CHILD,
          true,
          { true, true, true, true, true, true, true, true } },
        { "rekeying the IKE SA",
          COLLIDE_REKEY_IKE,
          false,
          { true, false, false, false, false, true, false, false } },
        { "deleting the IKE SA",
          COLLIDE_DELETE_IKE,
          false,
          { true, true, true, true, true, true, true, true } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int busy = 0; busy < BUSIES; busy++) {
            struct scene s;
            char what[120];
            struct strbuf name = { what, 0, sizeof(what) };
            strbuf_addf(&name, "peer: %s; we: %s", rows[i].what, busy_names[busy]);
            set(&s, (enum busy)busy);
            assert_row(what,
                       may(&s, rows[i].kind, rows[i].about_child ? s.child : NULL) == rows[i].may[busy]);
            strike(&s);
        }
}

static char *next_cell(char **at)
{
    char *cell = *at, *end = cell ? strchr(cell, '|') : NULL;
    if (!end)
        return NULL;
    *end = 0;
    *at = end + 1;
    return cell + strspn(cell, " ");
}

static void compare_row(char *line, enum collide_kind kind, bool about_child)
{
    next_cell(&line); /* before the first | */
    const char *name = next_cell(&line);
    for (int busy = CREATING; busy < BUSIES; busy++) {
        struct scene s;
        const char *cell = next_cell(&line);
        set(&s, (enum busy)busy);
        bool usual = may(&s, kind, about_child ? s.child : NULL);
        assert_row(name, cell && strncmp(cell, usual ? "as usual" : "later", usual ? 8 : 5) == 0);
        strike(&s);
    }
}

/* docs/collisions.md says what the engine does. */
static void the_page_has_the_same_table(void **state)
{
    static const struct {
        const char *begins;
        enum collide_kind kind;
        bool about_child;
    } rows[] = {
        { "| new Child SA |", COLLIDE_NEW_CHILD, false },    { "| rekey Child SA |", COLLIDE_REKEY_CHILD, true },
        { "| delete Child SA |", COLLIDE_DELETE_CHILD, true }, { "| rekey IKE SA |", COLLIDE_REKEY_IKE, false },
        { "| delete IKE SA |", COLLIDE_DELETE_IKE, false },
    };
    char line[1000];
    unsigned seen = 0;
    FILE *f = fopen(DOCS_DIR "/collisions.md", "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            if (strncmp(line, rows[i].begins, strlen(rows[i].begins)) == 0) {
                compare_row(line, rows[i].kind, rows[i].about_child);
                seen++;
            }
    fclose(f);
    assert_int_equal(seen, ARRAY_LEN(rows));
}

static void the_business_of_another_child_does_not_matter(void **state)
{
    static const enum busy about_one[] = { REKEYING_CHILD, MORE_FOR_CHILD, DELETING_CHILD };
    for (size_t i = 0; i < ARRAY_LEN(about_one); i++) {
        struct scene s;
        set(&s, about_one[i]);
        assert_row(busy_names[about_one[i]], may(&s, COLLIDE_REKEY_CHILD, s.other));
        assert_row(busy_names[about_one[i]], !may(&s, COLLIDE_REKEY_IKE, NULL)); /* but there it does */
        strike(&s);
    }
}

static void what_is_replaced_or_closing_is_not_rekeyed(void **state)
{
    struct scene s;
    set(&s, NOTHING);
    s.child->state = ADIT_CHILD_REKEYED;
    assert_false(may(&s, COLLIDE_REKEY_CHILD, s.child));
    assert_true(may(&s, COLLIDE_DELETE_CHILD, s.child));
    static const enum sa_state closing[] = { SA_REKEYED, SA_DELETING };
    for (size_t i = 0; i < ARRAY_LEN(closing); i++) {
        s.sa->state = closing[i];
        assert_false(may(&s, COLLIDE_NEW_CHILD, NULL) || may(&s, COLLIDE_REKEY_IKE, NULL));
        assert_false(may(&s, COLLIDE_REKEY_CHILD, s.other));
        assert_true(may(&s, COLLIDE_DELETE_IKE, NULL) && may(&s, COLLIDE_DELETE_CHILD, s.other));
    }
    strike(&s);
}

static void collisions_are_counted(void **state)
{
    struct scene s;
    set(&s, NOTHING);
    may(&s, COLLIDE_REKEY_IKE, NULL);
    assert_int_equal(s.ike->counters[ADIT_C_COLLISIONS], 0);
    work_on(&s, TASK_REKEY_IKE, 0);
    may(&s, COLLIDE_REKEY_IKE, NULL);
    assert_int_equal(s.ike->counters[ADIT_C_COLLISIONS], 1);
    strike(&s);
}

static void an_unknown_spi_may_be_in_an_answer_under_way(void **state)
{
    for (int busy = 0; busy < BUSIES; busy++) {
        struct scene s;
        set(&s, (enum busy)busy);
        assert_row(busy_names[busy],
                   collide_unknown_child(s.sa) == (busy >= CREATING && busy <= MORE_FOR_CHILD));
        strike(&s);
    }
}

/* --- the lowest nonce --------------------------------------------------------------------------------------------- */

static void nonces(struct ike_pending *p, const char *i, const char *r, const char *crossing)
{
    assert_int_equal(buf_set(&p->nonce_i, span_str(i)), ADIT_OK);
    assert_int_equal(buf_set(&p->nonce_r, span_str(r)), ADIT_OK);
    assert_int_equal(buf_set(&p->crossing_nonce, span_str(crossing)), ADIT_OK);
    p->crossing_id = 1;
}

static void forget(struct ike_pending *p)
{
    buf_fini(&p->nonce_i);
    buf_fini(&p->nonce_r);
    buf_fini(&p->crossing_nonce);
}

static void the_exchange_with_the_lowest_nonce_loses_on_both_ends(void **state)
{
    static const struct {
        const char *what, *a[2], *b[2]; /* nonces of A's exchange, of B's */
        bool a_loses;
    } rows[] = {
        { "A's request", { "1", "4" }, { "2", "3" }, true },
        { "A's answer", { "4", "1" }, { "2", "3" }, true },
        { "B's request", { "2", "3" }, { "1", "4" }, false },
        { "B's answer", { "2", "3" }, { "4", "1" }, false },
        { "the highest does not count", { "1", "9" }, { "2", "2" }, true },
        { "octets, not signed numbers", { "\x7f", "\xff" }, { "\x80", "\xff" }, true },
        { "the last octet decides", { "aaaa1", "b" }, { "aaaa2", "b" }, true },
        { "a prefix is lower", { "aaaa", "b" }, { "aaaa0", "b" }, true },
        { "a prefix is lower, other way", { "aaaa0", "b" }, { "aaaa", "b" }, false },
        { "length does not matter otherwise", { "b", "c" }, { "aaaaaaaa", "c" }, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_pending a = { 0 }, b = { 0 };
        nonces(&a, rows[i].a[0], rows[i].a[1], "");
        nonces(&b, rows[i].b[0], rows[i].b[1], "");
        assert_int_equal(buf_set(&a.crossing_nonce, pending_lowest_nonce(&b)), ADIT_OK);
        assert_int_equal(buf_set(&b.crossing_nonce, pending_lowest_nonce(&a)), ADIT_OK);
        assert_row(rows[i].what, collide_lost(&a) == rows[i].a_loses);
        assert_row(rows[i].what, collide_lost(&b) == !rows[i].a_loses);
        a.crossing_id = 0;
        assert_row(rows[i].what, !collide_lost(&a)); /* nothing crossed */
        forget(&a);
        forget(&b);
    }
}

/* It can't be by chance: but if it were, keeping both would do less harm than closing both. */
static void equal_nonces_lose_nothing(void **state)
{
    struct ike_pending p = { 0 };
    nonces(&p, "7", "5", "5");
    assert_false(collide_lost(&p));
    forget(&p);
}

static void the_peers_rekeying_is_noted_beside_ours(void **state)
{
    static const struct {
        const char *what;
        enum busy busy;
        enum pending_kind kind;
        bool same_child, noted;
    } rows[] = {
        { "the same Child SA", REKEYING_CHILD, PENDING_REKEY_CHILD, true, true },
        { "another Child SA", REKEYING_CHILD, PENDING_REKEY_CHILD, false, false },
        { "the IKE SA", REKEYING_IKE, PENDING_REKEY_IKE, false, true },
        { "the IKE SA, ours a Child SA", REKEYING_CHILD, PENDING_REKEY_IKE, false, false },
        { "a Child SA, ours the IKE SA", REKEYING_IKE, PENDING_REKEY_CHILD, true, false },
        { "we do nothing", NOTHING, PENDING_REKEY_CHILD, true, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene s;
        set(&s, rows[i].busy);
        struct ike_pending p = { .sa = s.sa,
                                 .kind = rows[i].kind,
                                 .old_child = rows[i].same_child ? s.child->id : s.other->id };
        nonces(&p, "5", "3", "");
        assert_row(rows[i].what, collide_note(&p, 77) == rows[i].noted);
        assert_row(rows[i].what, s.task.crossing_id == (rows[i].noted ? 77 : 0));
        assert_row(rows[i].what,
                   !rows[i].noted || span_equal(buf_span(&s.task.crossing_nonce), span_str("3")));
        forget(&p);
        strike(&s);
    }
}

static bool deletes(struct scene *s, const struct ike_child *c)
{
    return agenda_find(s->sa, TASK_DELETE_CHILD, c->id) != NULL;
}

/* Who closes what: the loser its own new one and the peer the old one, or the other way round. */
static void each_side_closes_what_it_has_to(void **state)
{
    static const struct {
        const char *what, *crossing; /* lowest nonce of the peer's exchange; ours is "5" */
        bool closes_made, closes_old;
    } rows[] = {
        { "nothing crossed", NULL, false, true },
        { "ours has the lower nonce", "6", true, false },
        { "ours has the higher nonce", "4", false, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene s;
        set(&s, NOTHING);
        struct ike_child *made = core_child(s.sa), *peers = core_child(s.sa);
        struct ike_pending p = {
            .sa = s.sa, .kind = PENDING_REKEY_CHILD, .requester = true, .old_child = s.child->id
        };
        nonces(&p, "5", "8", rows[i].crossing ? rows[i].crossing : "");
        p.crossing_id = rows[i].crossing ? peers->id : 0;
        collide_child_done(&p, made);
        assert_row(rows[i].what, deletes(&s, made) == rows[i].closes_made);
        assert_row(rows[i].what, deletes(&s, s.child) == rows[i].closes_old);
        assert_row(rows[i].what, !deletes(&s, peers)); /* never ours to close */
        assert_row(rows[i].what, s.child->state == ADIT_CHILD_REKEYED);
        assert_row(rows[i].what, s.child->rekeyed_to == (rows[i].closes_made ? peers->id : made->id));
        assert_row(rows[i].what, (made->state == ADIT_CHILD_INSTALLED) == !rows[i].closes_made);
        forget(&p);
        strike(&s);
    }
}

/* RFC 9370 s2.2.4: of two crossing series of key exchanges only one goes on. */
static void one_of_two_crossing_series_goes_on(void **state)
{
    static const struct {
        const char *what, *peers; /* lowest nonce of the peer's series; ours is "5" */
        bool same_child, goes_on, other_stays;
    } rows[] = {
        { "the peer has none", NULL, true, true, false },
        { "ours has the lower nonce", "6", true, false, true },
        { "ours has the higher nonce", "4", true, true, false },
        { "the peer's is about another Child SA", "6", false, true, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct scene s;
        set(&s, NOTHING);
        struct ike_pending p = {
            .sa = s.sa, .kind = PENDING_REKEY_CHILD, .requester = true, .old_child = s.child->id
        };
        nonces(&p, "5", "8", "");
        p.crossing_id = 0;
        if (rows[i].peers) {
            struct ike_pending *other = pending_new(s.sa, PENDING_REKEY_CHILD, false);
            nonces(other, "9", rows[i].peers, "");
            other->old_child = rows[i].same_child ? s.child->id : s.other->id;
            other->linked = true;
            list_append(&s.sa->pendings, &other->link);
        }
        assert_row(rows[i].what, collide_before_more(&p) == rows[i].goes_on);
        assert_row(rows[i].what, list_empty(&s.sa->pendings) == !rows[i].other_stays);
        forget(&p);
        strike(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_against_each_thing_we_do),
        cmocka_unit_test(the_page_has_the_same_table),
        cmocka_unit_test(the_business_of_another_child_does_not_matter),
        cmocka_unit_test(what_is_replaced_or_closing_is_not_rekeyed),
        cmocka_unit_test(collisions_are_counted),
        cmocka_unit_test(an_unknown_spi_may_be_in_an_answer_under_way),
        cmocka_unit_test(the_exchange_with_the_lowest_nonce_loses_on_both_ends),
        cmocka_unit_test(equal_nonces_lose_nothing),
        cmocka_unit_test(the_peers_rekeying_is_noted_beside_ours),
        cmocka_unit_test(each_side_closes_what_it_has_to),
        cmocka_unit_test(one_of_two_crossing_series_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
