/* secret.c - slab allocator for secrets. Slabs of 64 KiB, aligned to their size, locked and left out of core
 * dumps; a page of a slab serves one size class (16 ... 4096 octets) and goes back to the slab when its last
 * secret is gone, so that a peak in one class can't starve another. A slab's first page holds its bookkeeping.
 * A secret that is larger than a page, as a FrodoKEM key, has a slab of its own for as long as it lives.
 * One lock for all: work threads own secrets too. */
#include "base/secret.h"
#include <pthread.h>
#include <sys/mman.h>
#include "base/list.h"
#include "base/mem.h"

#define SLAB_SIZE ((size_t)65536)
#define PAGE_SIZE ((size_t)4096)
#define SLAB_PAGES (SLAB_SIZE / PAGE_SIZE)
#define SMALLEST ((size_t)16)
#define NUM_CLASSES 9 /* 16 << 8 = 4096 */
#define MAP_WORDS (PAGE_SIZE / SMALLEST / 64)

struct page {
    struct list node; /* in partial[class] while it has free slots; in free_pages while it has no secret */
    uint16_t slot_size, used;
    uint64_t taken[MAP_WORDS]; /* a bit a slot */
};
struct slab {
    size_t pages_in_use;
    size_t whole; /* octets, page-aligned, of the one large secret that has all of it; 0: it serves pages */
    bool locked;
    struct page pages[SLAB_PAGES]; /* [0], where this struct lies, is never handed out */
};
_Static_assert(sizeof(struct slab) <= PAGE_SIZE, "the bookkeeping has one page");
_Static_assert(SMALLEST << (NUM_CLASSES - 1) == PAGE_SIZE, "size classes");
_Static_assert(SECRET_MAX == SLAB_SIZE - PAGE_SIZE, "the largest has a slab but for its bookkeeping");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list partial[NUM_CLASSES], free_pages;
static size_t octets_in_use, octets_locked, idle_slabs;

static struct slab *slab_of(const void *p)
{
    return (struct slab *)((uintptr_t)p & ~(uintptr_t)(SLAB_SIZE - 1));
}

static uint8_t *page_memory(struct page *page)
{
    struct slab *slab = slab_of(page);
    return (uint8_t *)slab + (size_t)(page - slab->pages) * PAGE_SIZE;
}

static int class_of(size_t n)
{
    int class = 0;
    while ((SMALLEST << class) < n)
        class ++;
    return class;
}

/* A mapping aligned to its size: twice the room, both ends given back. */
static void *map_aligned(void)
{
    uint8_t *p = mmap(NULL, 2 * SLAB_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t before = (SLAB_SIZE - ((uintptr_t)p & (SLAB_SIZE - 1))) & (SLAB_SIZE - 1);
    if (before)
        munmap(p, before);
    munmap(p + before + SLAB_SIZE, SLAB_SIZE - before);
    return p + before;
}

static struct slab *new_slab(void)
{
    struct slab *slab = mem_may(SLAB_SIZE) ? map_aligned() : NULL;
    if (!slab)
        return NULL;
    (void)madvise(slab, SLAB_SIZE, MADV_DONTDUMP);
    /* Best effort: RLIMIT_MEMLOCK may be small; secret_usage() shows the difference. */
    slab->locked = mlock(slab, SLAB_SIZE) == 0;
    return slab;
}

static bool add_slab(void)
{
    struct slab *slab = new_slab();
    if (!slab)
        return false;
    for (size_t i = 1; i < SLAB_PAGES; i++)
        list_append(&free_pages, &slab->pages[i].node);
    idle_slabs++;
    return true;
}

static void drop_slab(struct slab *slab)
{
    for (size_t i = 1; i < SLAB_PAGES; i++)
        list_remove(&slab->pages[i].node);
    idle_slabs--;
    munmap(slab, SLAB_SIZE);
}

static void init_lists(void)
{
    if (free_pages.next)
        return;
    list_init(&free_pages);
    for (int class = 0; class < NUM_CLASSES; class ++)
        list_init(&partial[class]);
}

/* A page with a free slot of this class; NULL when memory is out. */
static struct page *page_for(int class)
{
    if (!list_empty(&partial[class]))
        return list_entry(partial[class].next, struct page, node);
    if (list_empty(&free_pages) && !add_slab())
        return NULL;
    struct page *page = list_entry(free_pages.next, struct page, node);
    list_remove(&page->node);
    list_append(&partial[class], &page->node);
    page->slot_size = (uint16_t)(SMALLEST << class);
    if (slab_of(page)->pages_in_use++ == 0)
        idle_slabs--;
    return page;
}

static size_t take_slot(struct page *page)
{
    size_t word = 0;
    while (!~page->taken[word])
        word++;
    unsigned bit = (unsigned)__builtin_ctzll(~page->taken[word]);
    page->taken[word] |= UINT64_C(1) << bit;
    if (++page->used == PAGE_SIZE / page->slot_size)
        list_remove(&page->node);
    return word * 64 + bit;
}

static void count(const struct slab *slab, size_t n, bool more)
{
    size_t delta = more ? n : (size_t)0 - n;
    octets_in_use += delta;
    if (slab->locked)
        octets_locked += delta;
}

/* A secret of more than a page. The lock is held. */
static uint8_t *large_new(size_t n)
{
    struct slab *slab = new_slab();
    if (!slab)
        return NULL;
    slab->whole = (n + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    count(slab, slab->whole, true);
    return (uint8_t *)slab + PAGE_SIZE;
}

static void large_del(struct slab *slab)
{
    mem_wipe((uint8_t *)slab + PAGE_SIZE, slab->whole);
    count(slab, slab->whole, false);
    munmap(slab, SLAB_SIZE);
}

static uint8_t *slot_new(size_t n)
{
    pthread_mutex_lock(&lock);
    init_lists();
    uint8_t *p = n > PAGE_SIZE ? large_new(n) : NULL;
    struct page *page = n <= PAGE_SIZE && mem_may(n) ? page_for(class_of(n)) : NULL;
    if (page) {
        p = page_memory(page) + take_slot(page) * page->slot_size;
        count(slab_of(page), page->slot_size, true);
    }
    pthread_mutex_unlock(&lock);
    return p;
}

/* The page's last secret is gone: any class may have it now. One idle slab is kept against thrashing. */
static void release_page(struct page *page)
{
    struct slab *slab = slab_of(page);
    list_remove(&page->node);
    list_append(&free_pages, &page->node);
    if (--slab->pages_in_use == 0 && ++idle_slabs > 1)
        drop_slab(slab);
}

/* The lock is held. */
static void slot_free(struct slab *slab, uint8_t *p)
{
    size_t at = (size_t)(p - (uint8_t *)slab);
    struct page *page = &slab->pages[at / PAGE_SIZE];
    size_t slot = at % PAGE_SIZE / page->slot_size;
    mem_wipe(p, page->slot_size);
    count(slab, page->slot_size, false);
    page->taken[slot / 64] &= ~(UINT64_C(1) << slot % 64);
    if (page->used-- == PAGE_SIZE / page->slot_size)
        list_append(&partial[class_of(page->slot_size)], &page->node);
    if (page->used == 0)
        release_page(page);
}

static void secret_del(uint8_t *p)
{
    struct slab *slab = slab_of(p);
    pthread_mutex_lock(&lock);
    if (slab->whole)
        large_del(slab);
    else
        slot_free(slab, p);
    pthread_mutex_unlock(&lock);
}

enum adit_rc secret_alloc(struct adit_secret *s, size_t n)
{
    if (n > SECRET_MAX)
        return ADIT_ERR_LIMIT;
    uint8_t *p = n ? slot_new(n) : NULL;
    if (n && !p)
        return ADIT_ERR_MEMORY;
    secret_fini(s);
    *s = (struct adit_secret){ p, n };
    return ADIT_OK;
}

enum adit_rc secret_set(struct adit_secret *s, struct adit_span bytes)
{
    struct adit_secret fresh = { 0 };
    enum adit_rc rc = secret_alloc(&fresh, bytes.n);
    if (rc != ADIT_OK)
        return rc;
    span_copy(fresh.p, bytes);
    secret_move(s, &fresh);
    return ADIT_OK;
}

void secret_trim(struct adit_secret *s, size_t n)
{
    if (n >= s->n)
        return;
    if (n == 0) {
        secret_fini(s);
        return;
    }
    mem_wipe(s->p + n, s->n - n);
    s->n = n;
}

void secret_fini(struct adit_secret *s)
{
    if (s->p)
        secret_del(s->p);
    *s = (struct adit_secret){ 0 };
}

void secret_move(struct adit_secret *to, struct adit_secret *from)
{
    if (to == from)
        return;
    secret_fini(to);
    *to = *from;
    *from = (struct adit_secret){ 0 };
}

bool secret_equal(struct adit_span a, struct adit_span b)
{
    if (a.n != b.n)
        return false;
    uint8_t differ = 0;
    for (size_t i = 0; i < a.n; i++) {
        differ |= a.p[i] ^ b.p[i];
        __asm__ __volatile__("" : "+r"(differ)); /* or the compiler may stop at the first difference */
    }
    return differ == 0;
}

void secret_usage(size_t *in_use, size_t *locked)
{
    pthread_mutex_lock(&lock);
    *in_use = octets_in_use;
    *locked = octets_locked;
    pthread_mutex_unlock(&lock);
}
