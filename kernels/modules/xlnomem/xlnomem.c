// SPDX-License-Identifier: GPL-2.0-only
/* xlnomem: has a function give no memory to one module, as often as it is told to. */
#include <linux/atomic.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/string.h>

static char *function = "";
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "function that returns a pointer, NULL where it has no memory");

static char *caller = "";
module_param(caller, charp, 0444);
MODULE_PARM_DESC(caller, "module to whose calls it returns NULL");

static ulong argument;
module_param(argument, ulong, 0444);
MODULE_PARM_DESC(argument, "its first argument in the calls that are meant; 0: any");

static int every = 1;
module_param(every, int, 0444);
MODULE_PARM_DESC(every, "of so many calls that are meant the last gets NULL");

static int times;
module_param(times, int, 0644);
MODULE_PARM_DESC(times, "so many calls more get NULL");

static atomic_t refused;
module_param_named(refused, refused.counter, int, 0444);
MODULE_PARM_DESC(refused, "so many have got it");

static atomic_t meant;

/* "[caller]", as kallsyms writes the module behind the name of a function. */
static char tag[MODULE_NAME_LEN + 2];

/* What runs in place of the function, and returns to where that was called from. */
static notrace noinline void *xlnomem_nothing(void)
{
	return NULL;
}

static bool xlnomem_is_meant(struct pt_regs *regs)
{
	char name[KSYM_SYMBOL_LEN];

	if (argument && argument != regs->di)
		return false;
	sprint_symbol(name, *(unsigned long *)regs->sp);
	return strstr(name, tag);
}

static bool xlnomem_take_one(void)
{
	int left = READ_ONCE(times);

	do {
		if (left <= 0)
			return false;
	} while (!try_cmpxchg(&times, &left, left - 1));
	return true;
}

static int xlnomem_at_entry(struct kprobe *probe, struct pt_regs *regs)
{
	if (READ_ONCE(times) <= 0 || !xlnomem_is_meant(regs))
		return 0;
	if (atomic_inc_return(&meant) % every || !xlnomem_take_one())
		return 0;
	atomic_inc(&refused);
	regs->ip = (unsigned long)xlnomem_nothing;
	return 1;
}

/* That there is one keeps the kprobe from becoming a jump, which cannot go elsewhere. */
static void xlnomem_behind(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe xlnomem_probe = {
	.pre_handler = xlnomem_at_entry,
	.post_handler = xlnomem_behind,
};

static int __init xlnomem_init(void)
{
	if (!*function || !*caller || every < 1 || strlen(caller) >= MODULE_NAME_LEN)
		return -EINVAL;
	snprintf(tag, sizeof(tag), "[%s]", caller);
	xlnomem_probe.symbol_name = function;
	return register_kprobe(&xlnomem_probe);
}

static void __exit xlnomem_exit(void)
{
	unregister_kprobe(&xlnomem_probe);
}

module_init(xlnomem_init);
module_exit(xlnomem_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Has a function give no memory to one module");
