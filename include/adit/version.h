/* adit/version.h - which library this is. */
#ifndef ADIT_VERSION_H
#define ADIT_VERSION_H

#pragma GCC visibility push(default)

/* "0.1.0": of the library that runs, which may be newer than the headers. */
const char *adit_version(void);

#pragma GCC visibility pop
#endif
