/* ke_numbers.h - the setting ke_numbers: other numbers for key exchange methods whose own are not assigned. */
#ifndef DAEMON_KE_NUMBERS_H
#define DAEMON_KE_NUMBERS_H

#include "adit/crypto.h"

/* Reads "word=number, .." and has names and words follow it, for the whole process (NULL: as they were). Before connections
 * are read. ADIT_ERR_CONFIG says which item is wrong. */
ADIT_MUST_USE enum adit_rc ke_numbers_read(const char *text, struct adit_why *why);
/* adit_crypto_new() with these numbers, and the library's own randomness. NULL with *why. */
struct adit_crypto *ke_numbers_crypto(struct adit_why *why);

#endif
