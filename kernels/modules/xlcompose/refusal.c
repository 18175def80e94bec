// SPDX-License-Identifier: GPL-2.0-only
/* The reason why the last write was refused, for who got no more than an errno. */
#include <linux/mutex.h>
#include <linux/sysfs.h>
#include "internal.h"

static DEFINE_MUTEX(refusal_lock);
static char refusal[160];

int xlc_refuse(int error, const char *format, ...)
{
	va_list arguments;

	mutex_lock(&refusal_lock);
	va_start(arguments, format);
	vscnprintf(refusal, sizeof(refusal), format, arguments);
	va_end(arguments);
	mutex_unlock(&refusal_lock);
	return error;
}

ssize_t xlc_show_refusal(char *to)
{
	ssize_t bytes;

	mutex_lock(&refusal_lock);
	bytes = sysfs_emit(to, "%s\n", refusal);
	mutex_unlock(&refusal_lock);
	return bytes;
}
