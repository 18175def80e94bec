// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/xlreceive: armed for a batch, tells of each of its packets that arrives at a device.
 *
 * A netfilter ingress hook: it comes before bridge and IP, so it works on a bridged vif as well as
 * on a domU's eth0; it may take packets away, so that no stack answers them; and the skb is as the
 * driver gave it. rx_handler is taken by the bridge, and a tap (dev_add_pack) cannot consume. tc
 * and nft rules on ingress come first, so faults planted with them are seen.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter_netdev.h>
#include <linux/nsproxy.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/net_namespace.h>
#include "internal.h"
#include "receiver.h"

static DEFINE_MUTEX(receivers_lock);
static LIST_HEAD(receivers);

static unsigned int receive_hook(void *private, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct xlc_receiver *receiver = private;
	struct xlc_finding finding;

	if (!xlc_inspect(skb, &receiver->expected, &finding)) {
		atomic_inc(&receiver->passed);
		return NF_ACCEPT;
	}
	xlc_receiver_note(receiver, &finding);
	consume_skb(skb);
	return NF_STOLEN;
}

static void unhook(struct xlc_receiver *receiver)
{
	if (!receiver->dev)
		return;
	list_del(&receiver->list);
	nf_unregister_net_hook(dev_net(receiver->dev), &receiver->hook);
	dev_put(receiver->dev);
	receiver->dev = NULL;
}

static void disarm(struct xlc_receiver *receiver)
{
	mutex_lock(&receivers_lock);
	unhook(receiver);
	mutex_unlock(&receivers_lock);
	/* A hook may still run on another processor until now. */
	synchronize_net();
}

static int hook_up(struct xlc_receiver *receiver, const struct xlc_arm *arm)
{
	char device[XLC_DEVICE_BYTES + 1] = "";
	int error;

	memcpy(device, arm->device, XLC_DEVICE_BYTES);
	receiver->dev = dev_get_by_name(current->nsproxy->net_ns, device);
	if (!receiver->dev)
		return xlc_refuse(-ENODEV, "no device %s", device);
	receiver->hook = (struct nf_hook_ops) {
		.hook = receive_hook,
		.dev = receiver->dev,
		.priv = receiver,
		.pf = NFPROTO_NETDEV,
		.hooknum = NF_NETDEV_INGRESS,
		.priority = INT_MAX,
	};
	error = nf_register_net_hook(dev_net(receiver->dev), &receiver->hook);
	if (error) {
		dev_put(receiver->dev);
		receiver->dev = NULL;
		return xlc_refuse(error, "%s: no ingress hook", device);
	}
	list_add(&receiver->list, &receivers);
	return 0;
}

/* Who has all that was wanted is no longer in the list, and needs no end. */
static void finish(const struct xlc_arm *arm)
{
	struct xlc_receiver *receiver;

	mutex_lock(&receivers_lock);
	list_for_each_entry(receiver, &receivers, list)
		if (!strncmp(receiver->dev->name, arm->device, XLC_DEVICE_BYTES))
			xlc_receiver_settle(receiver, arm);
	mutex_unlock(&receivers_lock);
}

static int arm_receiver(struct xlc_receiver *receiver, const struct xlc_arm *arm)
{
	int error = xlc_receiver_prepare(receiver, arm);

	if (error)
		return error;
	mutex_lock(&receivers_lock);
	error = hook_up(receiver, arm);
	mutex_unlock(&receivers_lock);
	return error;
}

static ssize_t receiver_write(struct file *file, const char __user *from, size_t bytes,
			      loff_t *position)
{
	struct xlc_receiver *receiver = file->private_data;
	struct xlc_arm arm;
	int error;

	if (bytes != sizeof(arm))
		return xlc_refuse(-EINVAL, "%zu bytes in one write, not %zu", bytes, sizeof(arm));
	if (copy_from_user(&arm, from, sizeof(arm)))
		return -EFAULT;
	error = xlc_check_arm(&arm);
	if (error)
		return error;
	if (le32_to_cpu(arm.op) == XLC_OP_FINISH)
		finish(&arm);
	else if (receiver->arrivals)
		error = xlc_refuse(-EBUSY, "this file is armed already");
	else
		error = arm_receiver(receiver, &arm);
	return error ?: bytes;
}

static ssize_t receiver_read(struct file *file, char __user *to, size_t bytes, loff_t *position)
{
	struct xlc_receiver *receiver = file->private_data;
	int error;

	if (!receiver->arrivals)
		return -ENODATA;
	if (!receiver->told) {
		error = xlc_receiver_wait(receiver);
		if (error)
			return error;
		disarm(receiver);
		xlc_receiver_summarise(receiver);
	}
	return xlc_receiver_tell(receiver, to, bytes);
}

static __poll_t receiver_poll(struct file *file, poll_table *table)
{
	struct xlc_receiver *receiver = file->private_data;

	poll_wait(file, &receiver->wait, table);
	return receiver->told || READ_ONCE(receiver->ended) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int receiver_open(struct inode *inode, struct file *file)
{
	struct xlc_receiver *receiver = kzalloc(sizeof(*receiver), GFP_KERNEL);

	if (!receiver)
		return -ENOMEM;
	spin_lock_init(&receiver->lock);
	init_waitqueue_head(&receiver->wait);
	file->private_data = receiver;
	return 0;
}

static int receiver_release(struct inode *inode, struct file *file)
{
	struct xlc_receiver *receiver = file->private_data;

	disarm(receiver);
	kvfree(receiver->arrivals);
	kvfree(receiver->seen);
	kfree(receiver);
	return 0;
}

/* A device that goes away takes its hooks along; nothing is received there any more. */
static int device_event(struct notifier_block *block, unsigned long event, void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);
	struct xlc_receiver *receiver, *next;

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	mutex_lock(&receivers_lock);
	list_for_each_entry_safe(receiver, next, &receivers, list)
		if (receiver->dev == dev) {
			unhook(receiver);
			xlc_receiver_end(receiver, XLC_END_DEVICE_GONE);
		}
	mutex_unlock(&receivers_lock);
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = { .notifier_call = device_event };

static const struct file_operations receiver_fops = {
	.owner = THIS_MODULE,
	.open = receiver_open,
	.release = receiver_release,
	.write = receiver_write,
	.read = receiver_read,
	.poll = receiver_poll,
};

static struct miscdevice receiver_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "xlreceive",
	.fops = &receiver_fops,
	.mode = 0600,
};

int xlc_receiver_init(void)
{
	int error = register_netdevice_notifier(&device_notifier);

	if (error)
		return error;
	error = misc_register(&receiver_device);
	if (error)
		unregister_netdevice_notifier(&device_notifier);
	return error;
}

void xlc_receiver_exit(void)
{
	misc_deregister(&receiver_device);
	unregister_netdevice_notifier(&device_notifier);
}
