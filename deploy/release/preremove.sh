#!/bin/sh
# Stops all processes of the units before their files go. An upgrade, in which a deb has the argument
# upgrade and an rpm 1, leaves them alone.
set -e
case "${1:-}" in
remove | 0) ;;
*) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
	systemctl stop 'baler-worker@*.service' 'baler-watch@*.service' baler-serve.service baler-migrate.service
	for unit in /etc/systemd/system/*.wants/baler-*.service; do
		if [ -L "$unit" ]; then
			systemctl --quiet disable "${unit##*/}"
		fi
	done
fi
