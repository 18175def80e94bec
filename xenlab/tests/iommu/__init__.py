"""The iommu suite: the IOMMU that was asked for, and traffic whose DMA goes through it."""
