"""Root images, Xen and kernels from Debian packages, in a content-addressed cache."""
