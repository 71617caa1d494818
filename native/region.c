#define _GNU_SOURCE
#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int ea_region_map(ea_region *region, int fd, size_t size) {
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int error = base == MAP_FAILED ? -errno : 0;
    close(fd);
    if (error == 0) *region = (ea_region){.base = base, .size = size};
    return error;
}

int ea_region_open(ea_region *region, const char *path, size_t size) {
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return -errno;
    struct stat status;
    /* Mapping past the end of the file would turn the first access into a SIGBUS. */
    if (fstat(fd, &status) != 0 || (uint64_t)status.st_size < size) {
        close(fd);
        return -EINVAL;
    }
    return ea_region_map(region, fd, size);
}

int ea_region_close(ea_region *region) {
    if (region->base == NULL) return 0;
    int error = munmap(region->base, region->size) == 0 ? 0 : -errno;
    *region = (ea_region){0};
    return error;
}

void *ea_region_at(const ea_region *region, uint64_t offset, uint64_t bytes) {
    if (region->base == NULL || offset % EA_LINE != 0) return NULL;
    if (offset > region->size || bytes > region->size - offset) return NULL;
    return region->base + offset;
}
