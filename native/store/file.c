/* The file of a store, on the disk. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper.h"

/* The file is as long as it may ever be, so that no reference leads behind its end; but the disk
 * holds only what may be used, and for that its room is certain. */
bool ea_store_make_room(int fd, uint32_t limit, uint32_t usable) {
    struct stat stat;
    if (fstat(fd, &stat) != 0) return false;
    if (stat.st_size < (off_t)limit * EA_BLOCK && ftruncate(fd, (off_t)limit * EA_BLOCK) != 0) return false;
    errno = posix_fallocate(fd, 0, (off_t)usable * EA_BLOCK);
    return errno == 0;
}

static bool fill(int fd, const ea_store_shape *shape) {
    enum { SIZE = (EA_HEADER_BLOCKS + 1) * EA_BLOCK };
    if (ftruncate(fd, 0) != 0 || !ea_store_make_room(fd, shape->limit, shape->usable)) return false;
    void *base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) return false;
    ea_store_format(base, shape);
    (void)munmap(base, SIZE);
    return !shape->lasts || fsync(fd) == 0;
}

static bool sync_folder(const char *path) {
    char copy[PATH_MAX];
    (void)snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) (void)close(fd);
    return ok;
}

/* Under another name first: whoever finds the file finds a store. */
static bool make(const char *path, const ea_store_shape *shape, bool *created) {
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = open(temporary, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return false;
    bool ok = flock(fd, LOCK_EX) == 0 && fill(fd, shape) && link(temporary, path) == 0;
    int error = errno;
    *created = ok;
    if (!ok && error == EEXIST) ok = true; /* somebody else was quicker */
    (void)unlink(temporary);
    (void)close(fd);
    ok = ok && (!shape->lasts || sync_folder(path));
    if (!ok && error != 0) errno = error;
    return ok;
}

int ea_store_file(const char *path, const ea_store_shape *shape, bool *created) {
    *created = false;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT || shape->limit == 0) return fd;
    return make(path, shape, created) ? open(path, O_RDWR | O_CLOEXEC) : -1;
}
