// SPDX-License-Identifier: GPL-2.0-only
/* /dev/xlcompose: a batch is written, it is sent, its results are read. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <linux/nsproxy.h>
#include "internal.h"

#define STRAGGLER_MS 100

struct session {
	struct xlc_batch head;
	void *batch;		/* the head again, and what follows; NULL until the head is there */
	size_t written;
	void *results;
	size_t results_bytes;
	size_t results_read;
};

/* Held by whoever composes, sends or reaps: the pool and the flights have no lock of their own. */
static DEFINE_MUTEX(sending);
static bool pinned;
static void reap_stragglers(struct work_struct *work);
static DECLARE_DELAYED_WORK(straggler_work, reap_stragglers);

/* Skbs that outlive their batch call into this module at their end: it stays until they have. */
static void pin(void)
{
	if (!pinned && xlc_flights_out()) {
		pinned = true;
		__module_get(THIS_MODULE);
		schedule_delayed_work(&straggler_work, msecs_to_jiffies(STRAGGLER_MS));
	}
}

static void reap_stragglers(struct work_struct *work)
{
	mutex_lock(&sending);
	xlc_reap();
	if (xlc_flights_out()) {
		schedule_delayed_work(&straggler_work, msecs_to_jiffies(STRAGGLER_MS));
	} else {
		pinned = false;
		module_put(THIS_MODULE);
	}
	mutex_unlock(&sending);
}

static int run_job(struct session *session, struct xlc_job *job)
{
	struct xlc_sent_summary *summary;

	session->results_bytes = sizeof(*summary) + job->packets * sizeof(*job->sent);
	session->results = kvzalloc(session->results_bytes, GFP_KERNEL);
	if (!session->results)
		return xlc_refuse(-ENOMEM, "no memory for %u results", job->packets);
	summary = session->results;
	job->sent = session->results + sizeof(*summary);
	job->summary = (struct xlc_sent_summary) {
		.magic = cpu_to_le32(XLC_SENT_MAGIC),
		.version = cpu_to_le16(XLC_VERSION),
		.header_bytes = cpu_to_le16(sizeof(*summary)),
		.packets = cpu_to_le32(job->packets),
	};
	if (mutex_lock_killable(&sending))
		return xlc_refuse(-EINTR, "killed while another batch is sent");
	xlc_send(job);
	pin();
	mutex_unlock(&sending);
	*summary = job->summary;
	return 0;
}

static int run_batch(struct session *session)
{
	struct xlc_job job = { .head = session->batch };
	char device[XLC_DEVICE_BYTES + 1] = "";
	int error = xlc_check_batch(session->batch, &job.packets);

	if (error)
		return error;
	memcpy(device, job.head->device, XLC_DEVICE_BYTES);
	job.dev = dev_get_by_name(current->nsproxy->net_ns, device);
	if (!job.dev)
		return xlc_refuse(-ENODEV, "no device %s", device);
	if (netif_running(job.dev))
		error = run_job(session, &job);
	else
		error = xlc_refuse(-ENETDOWN, "%s is down", device);
	dev_put(job.dev);
	return error;
}

static int sender_open(struct inode *inode, struct file *file)
{
	struct session *session = kzalloc(sizeof(*session), GFP_KERNEL);

	file->private_data = session;
	return session ? 0 : -ENOMEM;
}

static void forget(struct session *session)
{
	kvfree(session->batch);
	kvfree(session->results);
	memset(session, 0, sizeof(*session));
}

static int sender_release(struct inode *inode, struct file *file)
{
	forget(file->private_data);
	kfree(file->private_data);
	return 0;
}

/* The head decides how much is to come. */
static int take_head(struct session *session)
{
	int error = xlc_check_header(&session->head);

	if (error)
		return error;
	session->batch = kvmalloc(le32_to_cpu(session->head.total_bytes), GFP_KERNEL);
	if (!session->batch)
		return xlc_refuse(-ENOMEM, "no memory for a batch of %u bytes",
				  le32_to_cpu(session->head.total_bytes));
	memcpy(session->batch, &session->head, sizeof(session->head));
	return 0;
}

static ssize_t take(struct session *session, const char __user *from, size_t bytes)
{
	void *to = session->batch ?: &session->head;
	size_t want = session->batch ? le32_to_cpu(session->head.total_bytes) :
		sizeof(session->head);
	int error = 0;

	bytes = min(bytes, want - session->written);
	if (copy_from_user(to + session->written, from, bytes))
		return -EFAULT;
	session->written += bytes;
	if (session->written == want && !session->batch)
		error = take_head(session);
	if (!error && session->batch &&
	    session->written == le32_to_cpu(session->head.total_bytes))
		error = run_batch(session);
	return error ?: bytes;
}

/* A batch may come in any pieces; after a refusal the next byte begins a new one. */
static ssize_t sender_write(struct file *file, const char __user *from, size_t bytes,
			    loff_t *position)
{
	struct session *session = file->private_data;
	size_t done = 0;

	if (session->results)
		forget(session);
	while (done < bytes && !session->results) {
		ssize_t taken = take(session, from + done, bytes - done);

		if (taken < 0) {
			forget(session);
			return taken;
		}
		done += taken;
	}
	return done;
}

static ssize_t sender_read(struct file *file, char __user *to, size_t bytes, loff_t *position)
{
	struct session *session = file->private_data;
	size_t left = session->results_bytes - session->results_read;

	if (!session->results)
		return -ENODATA;
	bytes = min(bytes, left);
	if (copy_to_user(to, session->results + session->results_read, bytes))
		return -EFAULT;
	session->results_read += bytes;
	return bytes;
}

static ssize_t refusal_show(struct device *dev, struct device_attribute *attr, char *to)
{
	return xlc_show_refusal(to);
}
static DEVICE_ATTR_RO(refusal);

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *to)
{
	return sysfs_emit(to, "outstanding_skbs %u\noutstanding_pages %lu\npool_pages %lu\n",
			  xlc_flights_out(), xlc_pool_pages_out(), xlc_pool_pages());
}
static DEVICE_ATTR_RO(state);

static struct attribute *sender_attrs[] = {
	&dev_attr_refusal.attr,
	&dev_attr_state.attr,
	NULL
};
ATTRIBUTE_GROUPS(sender);

static const struct file_operations sender_fops = {
	.owner = THIS_MODULE,
	.open = sender_open,
	.release = sender_release,
	.write = sender_write,
	.read = sender_read,
};

static struct miscdevice sender_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "xlcompose",
	.fops = &sender_fops,
	.groups = sender_groups,
	.mode = 0600,
};

int xlc_sender_init(void)
{
	int error = xlc_flights_init();

	if (error)
		return error;
	error = misc_register(&sender_device);
	if (error)
		xlc_flights_exit();
	return error;
}

/* No file is open and the module is not pinned, so no flight is out: every page is back. */
void xlc_sender_exit(void)
{
	misc_deregister(&sender_device);
	cancel_delayed_work_sync(&straggler_work);
	xlc_pool_drain();
	WARN_ON(xlc_pool_pages());
	xlc_flights_exit();
}
