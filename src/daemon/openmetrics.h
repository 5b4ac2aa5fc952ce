/* openmetrics.h - writes the OpenMetrics text format (1.0.0): families with type, unit and help, samples with
 * escaped labels. */
#ifndef DAEMON_OPENMETRICS_H
#define DAEMON_OPENMETRICS_H

#include "daemon/text.h"

struct om_label {
    const char *name, *value; /* name NULL ends a list */
};
/* type: "gauge", "counter" (samples get "_total"), "histogram". unit NULL = none; it must end the name. */
void om_family(struct text *out, const char *name, const char *type, const char *unit, const char *help);
/* suffix "" or "_total", "_bucket", "_sum", "_count". */
void om_sample(struct text *out, const char *name, const char *suffix, const struct om_label *labels,
               double value);
void om_sample_u64(struct text *out, const char *name, const char *suffix, const struct om_label *labels,
                   uint64_t value);
void om_end(struct text *out);

#endif
