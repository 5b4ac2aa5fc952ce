/* limits.h - every maximum of the engine, with its reason. */
#ifndef IKE_LIMITS_H
#define IKE_LIMITS_H

#define SECONDS(s) ((uint64_t)(s) * 1000000000ull)
#define MILLISECONDS(s) ((uint64_t)(s) * 1000000ull)

#define IKE_MESSAGE_MAX 65535       /* octets of one message: the Length of UDP */
#define IKE_KE_MAX (60u << 10)      /* octets of Key Exchange Data in a message without a longer payload header: there is
                                       more in it, and an SK payload has 65,535 octets at most */
#define IKE_BESIDE_KE (16u << 10)   /* what stands beside a long KE payload in a message of ours */
#define IKE_MARGIN 4096             /* and in one of the peer's, beyond a quarter of it */
#define IKE_KE_INIT_DEFAULT 1600    /* octets of Key Exchange Data in IKE_SA_INIT unless init_ke_max says otherwise: up to
                                       ML-KEM-1024, one datagram of two IP fragments */
#define IKE_KE_INIT_MAX 7168        /* the same in IKE_SA_INIT, which is no longer than this: */
#define IKE_INIT_MAX 8192           /* octets of an IKE_SA_INIT that we read: before anything is proven */
#define IKE_KE_INIT_MAX_TCP (24u << 10) /* the same by TCP, which takes all of a FrodoKEM without fragments ... */
#define IKE_INIT_MAX_TCP (32u << 10)    /* ... in an IKE_SA_INIT of this length ... */
#define IKE_LONG_INITS_MAX 256          /* ... as long as there are fewer half-open SAs: 20 MiB at most */
#define IKE_CUT_AFTER 1             /* repetitions in vain until fragments are made smaller */
#define IKE_NONCE_SIZE 32           /* ours: >= half of any PRF's key (RFC 7296 s2.10) */
#define IKE_OPENING_TRIES 2         /* repetitions of an opening that IKE_SA_INIT can take the place of */
#define IKE_COOKIE_ROUNDS 4         /* times that a responder may ask for (another) cookie */
#define IKE_KE_RETRIES 4            /* INVALID_KE_PAYLOADs followed */
#define IKE_CHILDREN_MAX 1024       /* Child SAs in one IKE SA; twice as many while they are rekeyed */
#define IKE_TASKS_MAX 1024          /* things waiting in one agenda */
#define IKE_CERTS_MAX 16            /* CERT payloads read */
#define IKE_FETCHES_PER_EXCHANGE 4  /* RFC 7296 s3.6: up to four certificates */
#define IKE_FETCHES_MAX 16          /* out at a time, all SAs together: strangers can ask for them */
#define IKE_FETCH_LIFE SECONDS(10)  /* hosts give up earlier; a peer waits longer (RFC 7296 s2.4: minutes) */
#define IKE_ADDRESSES_MAX 32        /* of the host: more would not be announced either */
#define IKE_DETOURS_MAX 16          /* paths on which one request goes beside the SA's: answers are cheap, but not free */
#define IKE_WINDOW_MAX 8            /* requests under way at once: as many as series of key exchanges, IKE_PENDING_MAX */
#define IKE_WINDOW_PATIENCE 2       /* repetitions after which nothing more is begun beside a request */
#define IKE_PENDING_MAX 8           /* half-made SAs of one peer (RFC 9370 link data) */
#define IKE_PENDING_LIFE SECONDS(20)    /* RFC 9370 s2.2.4: 5-20 s */
#define IKE_DELETED_LIFE SECONDS(10)    /* a deleted or failed SA answers retransmissions for so long */
#define IKE_REKEYED_LIFE SECONDS(240)   /* peer rekeyed the IKE SA, or a Child SA, but never deletes the old one; longer than it repeats
                                           a request whose answers are lost (strongSwan and we: 165 s) */
#define IKE_RESOLVE_LIFE SECONDS(60)    /* the host looks a gateway's name up; resolvers give up earlier */
#define IKE_OVER_MIN SECONDS(30)        /* over_time = 0 still leaves the successor this long to come up */
#define IKE_CHILD_GRACE SECONDS(5)      /* inbound half lives on after its Delete: packets under way */
#define IKE_RETIRE_OURS SECONDS(5)      /* a redundant IKE SA that we began goes after this ... */
#define IKE_RETIRE_THEIRS SECONDS(15)   /* ... one that the peer should close, if it has not done so by then */
#define IKE_RETIRE_ROUNDS 3             /* times that an old IKE SA waits for its Child SAs to come up in the new one */
#define IKE_CHILD_OVER SECONDS(180)     /* a Child SA that is to be rekeyed outlives its time by this, once: a request that
                                           is not answered for so long (strongSwan and we: 165 s) ends the IKE SA */
#define IKE_TEMPORARY_RETRY_MIN SECONDS(1) /* after TEMPORARY_FAILURE, plus up to twice as much at random */
#define IKE_TEMPORARY_TRIES 12
#define IKE_IDS_REKEY 0xffff0000u       /* message IDs do not come round (RFC 7296 s2.2): the IKE SA is rekeyed from here on ... */
#define IKE_IDS_EACH 4096u              /* ... tried again after so many ... */
#define IKE_IDS_END 0xffffff00u         /* ... and closed here */
#define IKE_SPARE_EVENTS 16             /* kept for when memory is out: some 25 KiB an engine */
#define IKE_ERRORS_PER_SECOND 20        /* unprotected error answers, all peers together */
#define IKE_STRANGER_LINES_PER_SECOND 200 /* log lines about half-open SAs, all peers together */
#define IKE_HALF_OPEN_SHARE 10          /* one address (IPv6: one /64) may have this part of half_open_max ... */
#define IKE_HALF_OPEN_FEW 16            /* ... and a few, however low that is */
#define IKE_UNPROVEN_OCTETS (64u << 20) /* kept of unfinished messages of peers before authentication, all together */
#define IKE_UNPROVEN_TELL SECONDS(10)   /* at most so often one is told that it is full */
#define IKE_UNPROVEN_SHARE 10           /* one address may have this part of it ... */
#define IKE_UNPROVEN_FEW (128u << 10)   /* ... and the largest message with what joins it */

#endif
