// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many small files and device statistics in one process: starting a program, or even forking a
 * shell, costs an emulated CPU more than all that is read here.
 *
 * Each line of a file is printed behind the file's path and a colon, each statistic (ethtool -S)
 * behind its device and a colon. What is not there, or cannot be read, is not printed.
 */
#define _GNU_SOURCE /* strchrnul() */
#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xlflow.h"

static void print_file(const char *path)
{
	static char *line;
	static size_t room;
	FILE *file = fopen(path, "r");
	struct stat status;
	ssize_t length;

	if (!file)
		return;
	if (fstat(fileno(file), &status) || !S_ISREG(status.st_mode)) {
		fclose(file);
		return;
	}
	while ((length = getline(&line, &room, file)) > 0) {
		if (line[length - 1] == '\n')
			length--;
		printf("%s:%.*s\n", path, (int)length, line);
	}
	fclose(file);
}

static int is_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/*
 * The files below @folder, which ends with a slash or is empty, that match. glob(3) knows users'
 * homes as well, for which a static program has all of NSS in it, and is started that much slower.
 */
static void print_files(const char *folder, const char *pattern);

static void print_entry(const char *folder, const char *name, const char *rest)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s%s", folder, name, *rest ? "/" : "");
	if (*rest)
		print_files(path, rest + 1);
	else
		print_file(path);
}

static void print_files(const char *folder, const char *pattern)
{
	const char *rest = strchrnul(pattern, '/');
	char name[NAME_MAX + 1];
	struct dirent **entries;
	int count;

	snprintf(name, sizeof(name), "%.*s", (int)(rest - pattern), pattern);
	if (!strpbrk(name, "*?[")) {
		print_entry(folder, name, rest);
		return;
	}
	count = scandir(*folder ? folder : ".", &entries, is_name, alphasort);
	for (int i = 0; i < count; i++) {
		if (!fnmatch(name, entries[i]->d_name, 0))
			print_entry(folder, entries[i]->d_name, rest);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static bool ask(int fd, const char *device, void *question)
{
	struct ifreq request = { .ifr_data = question };

	strncpy(request.ifr_name, device, sizeof(request.ifr_name) - 1);
	return !ioctl(fd, SIOCETHTOOL, &request);
}

/* The names come in pieces of ETH_GSTRING_LEN bytes, which need not end with a NUL. */
static void print_statistics(int fd, const char *device)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_gstrings *names;
	struct ethtool_stats *values;

	if (!ask(fd, device, &driver) || !driver.n_stats)
		return;
	names = calloc(1, sizeof(*names) + driver.n_stats * ETH_GSTRING_LEN);
	values = calloc(1, sizeof(*values) + driver.n_stats * sizeof(values->data[0]));
	if (!names || !values)
		die("calloc");
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_STATS;
	names->len = driver.n_stats;
	values->cmd = ETHTOOL_GSTATS;
	values->n_stats = driver.n_stats;
	if (ask(fd, device, names) && ask(fd, device, values)) {
		for (size_t i = 0; i < driver.n_stats; i++)
			printf("%s:%.*s: %llu\n", device, ETH_GSTRING_LEN,
			       (const char *)names->data + i * ETH_GSTRING_LEN,
			       (unsigned long long)values->data[i]);
	}
	free(names);
	free(values);
}

void reading_print(char **patterns, char **devices)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		die("socket");
	for (; *patterns; patterns++)
		print_files("", *patterns);
	for (; *devices; devices++)
		print_statistics(fd, *devices);
	close(fd);
}
