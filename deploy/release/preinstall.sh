#!/bin/sh
# Makes the account that the systemd units run as.
set -e
getent group baler >/dev/null || groupadd --system baler
getent passwd baler >/dev/null ||
	useradd --system --gid baler --home-dir /var/lib/baler --shell /usr/sbin/nologin baler
