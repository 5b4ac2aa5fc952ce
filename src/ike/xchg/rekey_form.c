/* rekey_form.c - who rekeys in another form than that of RFC 7296 s1.3.2 and s1.3.3: one extension at most is asked. */
#include "ike/sa.h"

const struct ike_rekey_form *rekey_form_for(const struct ike_pending *p)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->rekey_form && ike_exts[i]->rekey_form->may(p))
            return ike_exts[i]->rekey_form;
    return NULL;
}

const struct ike_rekey_form *rekey_form_of(struct ike_sa *sa, const struct ike_msg *request)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->rekey_form && ike_exts[i]->rekey_form->is(sa, request))
            return ike_exts[i]->rekey_form;
    return NULL;
}

/* Not where the peer's own rekeying has crossed ours: that one counts then. */
bool rekey_again_regular(struct ike_sa *sa, struct ike_task *t, const struct ike_pending *p, enum adit_rc rc)
{
    if (!p || !p->form || rc != ADIT_ERR_PROPOSAL || t->crossing_id)
        return false;
    t->regular = true;
    agenda_again(sa, t, 0);
    t->tries = 0; /* it is another question */
    return true;
}
