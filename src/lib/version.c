/* version.c - see adit/version.h. */
#include "adit/version.h"

const char *adit_version(void)
{
    return ADIT_VERSION;
}
