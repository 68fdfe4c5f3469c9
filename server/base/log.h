/* log.h: one line per event to standard error, key=value, values quoted and escaped.
 *
 * Rooms return, edges log. Format: `time [name] level event key=value ...`. A struct secret has no
 * way in. Any thread; a line is one write. */
#pragma once

#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level level);
void log_set_name(const char *process_name); /* put in front of each line; static string */
bool log_enabled(enum log_level level);

/* event: a short snake_case word; fmt: the remaining `key=value` text, printf-like. Values that
 * come from outside go through log_str, which bounds and escapes them. */
void log_line(enum log_level level, const char *event, const char *fmt, ...) _printf_(3, 4);
#define log_debug(event, ...) log_line(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_line(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_line(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_line(LOG_ERROR, event, __VA_ARGS__)

/* A quoted, escaped copy of s cut to 200 bytes, in a per-thread ring of 8; for use as a "%s"
 * argument of the next log line. */
const char *log_str(struct str s);
