/*
 * What QEMU's user emulation does not know and programs in a machine insist on:
 * keepalived closes its sockets where IP_MULTICAST_ALL cannot be set, which means
 * nothing to a pair that speaks unicast. (It knows no netfilter and no seccomp
 * either; nothing can be done about those.)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	static int (*real)(int, int, int, const void *, socklen_t);

	if (level == IPPROTO_IP && name == IP_MULTICAST_ALL)
		return 0;
	if (!real)
		real = dlsym(RTLD_NEXT, "setsockopt");
	return real(fd, level, name, value, length);
}
