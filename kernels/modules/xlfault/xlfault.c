// SPDX-License-Identifier: GPL-2.0-only
/* xlfault: brings a kernel to report a fault of each kind, in whoever writes its name. */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/* Long enough for a soft lockup, whose limit is twice kernel.watchdog_thresh. */
#define SPIN_SECONDS 8
/* Long enough for an RCU stall at the least limit that there is, 3 s, if the CPU is not idle. */
#define STALL_SECONDS 8

static struct dentry *xlfault_file;
static int *xlfault_nowhere;

static noinline void xlfault_oops(void)
{
	WRITE_ONCE(*xlfault_nowhere, 1);
}

static noinline void xlfault_bug(void)
{
	BUG();
}

static noinline void xlfault_warn(void)
{
	WARN_ON(1);
}

/* The scheduler complains and sets the count right by itself: to enable would be once too often. */
static noinline void xlfault_atomic(void)
{
	preempt_disable();
	msleep(20);
	barrier(); /* no tail call: we are to be in the trace */
}

static noinline void xlfault_panic(void)
{
	panic("xlfault was asked to");
}

/* No other task gets anywhere on this CPU; interrupts do, and find us here. */
static noinline void xlfault_spin(void)
{
	unsigned long end = jiffies + SPIN_SECONDS * HZ;

	preempt_disable();
	while (time_before(jiffies, end))
		cpu_relax();
	preempt_enable();
}

/* A reader that sleeps holds a grace period up, even on a single CPU. */
static noinline void xlfault_stall(void)
{
	rcu_read_lock();
	schedule_timeout_uninterruptible(STALL_SECONDS * HZ);
	rcu_read_unlock();
}

static noinline void xlfault_deaf(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static const struct {
	const char *name;
	void (*provoke)(void);
} xlfault_kinds[] = {
	{ "oops", xlfault_oops },
	{ "bug", xlfault_bug },
	{ "warn", xlfault_warn },
	{ "atomic", xlfault_atomic },
	{ "panic", xlfault_panic },
	{ "spin", xlfault_spin },
	{ "stall", xlfault_stall },
	{ "deaf", xlfault_deaf },
};

static noinline ssize_t xlfault_write(struct file *file, const char __user *from, size_t size,
				      loff_t *at)
{
	char name[16] = "";
	int kind;

	if (copy_from_user(name, from, min(size, sizeof(name) - 1)))
		return -EFAULT;
	for (kind = 0; kind < ARRAY_SIZE(xlfault_kinds); kind++) {
		if (sysfs_streq(name, xlfault_kinds[kind].name)) {
			xlfault_kinds[kind].provoke();
			return size;
		}
	}
	return -EINVAL;
}

static const struct file_operations xlfault_operations = {
	.owner = THIS_MODULE,
	.write = xlfault_write,
};

static int __init xlfault_init(void)
{
	xlfault_file = debugfs_create_file("xlfault", 0200, NULL, NULL, &xlfault_operations);
	return PTR_ERR_OR_ZERO(xlfault_file);
}

static void __exit xlfault_exit(void)
{
	debugfs_remove(xlfault_file);
}

module_init(xlfault_init);
module_exit(xlfault_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Brings a kernel to report a fault of each kind");
