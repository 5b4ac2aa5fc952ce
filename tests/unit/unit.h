/* unit.h - what unit tests share: cmocka with its prerequisites, rows that say which one failed, octets that end at
 * a guard page, an allocator gate. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include "base/mem.h"
#include "base/span.h"

/* In a loop over a table: fails with the row's name. */
#define assert_row(what, cond)                                                                               \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            fail_msg("row '%s': %s", what, #cond);                                                           \
    } while (0)

#define GUARD_ROOM 65536

/* A copy of s whose next octet can't be read: a reader that goes one too far dies. */
static inline struct adit_span guard_copy(struct adit_span s)
{
    static uint8_t *room;
    if (!room) {
        room = mmap(NULL, GUARD_ROOM + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        mprotect(room + GUARD_ROOM, 4096, PROT_NONE);
    }
    uint8_t *p = room + GUARD_ROOM - s.n;
    span_copy(p, s);
    return span(p, s.n);
}

/* Lets the next `left` allocations of this thread pass and refuses the others. */
static inline bool gate_countdown(void *left, size_t n)
{
    unsigned *count = left;
    return *count > 0 && (*count)--;
}

#endif
