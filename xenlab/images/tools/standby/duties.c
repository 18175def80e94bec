// SPDX-License-Identifier: GPL-2.0-only
/* The duties by name: awaken, domids NAME ..., ping, read FILE ..., run PROGRAM [ARGUMENT ...]. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "domains.h"
#include "duties.h"

#define WORDS 64

/* What there is of a stream's end that fits, on one line. */
static void read_tail(FILE *stream, char *text, size_t size)
{
	size_t used = 0, got;

	while ((got = fread(text + used, 1, size - 1 - used, stream)) > 0) {
		used += got;
		if (used == size - 1) {
			memmove(text, text + size / 2, used - size / 2);
			used -= size / 2;
		}
	}
	while (used && text[used - 1] == '\n')
		used--;
	text[used] = 0;
	for (; *text; text++)
		if (*text == '\n')
			*text = ' ';
}

/*
 * A file's first line; with a NUL among its bytes, as ELF notes have, all of it in hexadecimal. One
 * that is named with a dash before it may be missing: a dash stands for it then.
 */
static int read_file(const char *word, char *text, size_t size)
{
	char content[LINE_BYTES / 2], *line_end;
	bool may_be_missing = *word == '-';
	size_t i, bytes, digits = 1;
	FILE *file;
	int error;

	file = fopen(word + may_be_missing, "r");
	if (!file && may_be_missing && errno == ENOENT && size > 1) {
		strcpy(text, "-");
		return 0;
	}
	if (!file)
		return -1;
	bytes = fread(content, 1, sizeof(content), file);
	error = ferror(file) ? errno : bytes ? 0 : ENODATA;
	fclose(file);
	line_end = memchr(content, '\n', bytes);
	if (memchr(content, 0, bytes))
		digits = 2;
	else if (line_end)
		bytes = line_end - content;
	if (!error && (bytes == sizeof(content) || bytes * digits >= size))
		error = EFBIG;
	if (error) {
		errno = error;
		return -1;
	}
	for (i = 0; i < bytes; i++)
		sprintf(text + i * digits, digits == 2 ? "%02hhx" : "%c", content[i]);
	text[bytes * digits] = 0;
	return 0;
}

/* Each of the files, with a blank behind it. */
static int read_files(char **words, char *text, size_t size)
{
	size_t used = 0;

	for (; *words; words++) {
		if (read_file(*words, text + used, size - used - 1)) {
			snprintf(text, size, "%s: %s", *words, strerror(errno));
			return -1;
		}
		used += strlen(text + used);
		text[used++] = ' ';
		text[used] = 0;
	}
	return 0;
}

static int run_program(char **words, char *text, size_t size)
{
	int output[2], status;
	FILE *stream;
	pid_t pid;

	if (!words[0] || pipe(output))
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(output[1], STDOUT_FILENO);
		dup2(output[1], STDERR_FILENO);
		close(output[0]);
		close(output[1]);
		execvp(words[0], words);
		fprintf(stderr, "%s: %s", words[0], strerror(errno));
		_exit(127);
	}
	close(output[1]);
	stream = fdopen(output[0], "r");
	read_tail(stream, text, size);
	fclose(stream);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static const struct {
	const char *name;
	int (*act)(char **words, char *text, size_t size);
} duties[] = {
	{ "awaken", awaken },
	{ "domids", domids },
	{ "ping", ping },
	{ "read", read_files },
	{ "run", run_program },
};

void do_duty(char *line, char *answer, size_t size)
{
	char text[LINE_BYTES - sizeof("failed ")] = "no such duty";
	char *words[WORDS] = { NULL }, *rest = line;
	int failed = -1;
	size_t i, count;

	for (count = 0; count < WORDS - 1; count++) {
		words[count] = strsep(&rest, " ");
		if (!words[count])
			break;
	}
	for (i = 0; i < sizeof(duties) / sizeof(duties[0]); i++) {
		if (!strcmp(words[0], duties[i].name)) {
			text[0] = 0;
			failed = duties[i].act(words + 1, text, sizeof(text));
		}
	}
	snprintf(answer, size, "%s %s", failed ? "failed" : "ok", text);
}
