/* registry.c - the one list of extensions, made from ext/registry.def. */
#include "ike/ext.h"

#define EXTENSION(name) extern const struct ike_ext ext_##name;
#include "ike/ext/registry.def"
#undef EXTENSION

const struct ike_ext *const ike_exts[EXT_COUNT] = {
#define EXTENSION(name) [EXT_##name] = &ext_##name,
#include "ike/ext/registry.def"
#undef EXTENSION
};
