# Runs at the end of %%install, in every distribution: what Git cannot keep.
cd %{buildroot}
mkdir --parents afs boot dev etc/opt etc/pki/rpm-gpg etc/skel etc/sysconfig etc/tmpfiles.d etc/xdg home media mnt \
  opt proc root run srv sys tmp usr/bin usr/games usr/include usr/lib/modules usr/lib/sysimage usr/lib64/pkgconfig \
  usr/libexec usr/local/bin usr/local/sbin usr/sbin usr/share/info usr/share/licenses usr/share/misc usr/src \
  var/adm var/cache var/db var/empty var/lib/misc var/lib/rpm-state var/log var/opt var/spool/mail var/tmp \
  etc/profile.d etc/ld.so.conf.d etc/systemd/system etc/pam.d etc/default etc/logrotate.d usr/lib/systemd/system \
  usr/lib/tmpfiles.d usr/lib/sysusers.d usr/lib/udev/rules.d usr/share/dbus-1/system.d
ln --symbolic --force usr/bin bin
ln --symbolic --force usr/sbin sbin
ln --symbolic --force usr/lib lib
ln --symbolic --force usr/lib64 lib64
ln --symbolic --force --no-dereference ../run var/run
ln --symbolic --force --no-dereference ../run/lock var/lock
ln --symbolic --force --no-dereference spool/mail var/mail
# Debian's programs have this folder compiled into them.
ln --symbolic --force --no-dereference ../lib64 usr/lib/%{_target_cpu}-linux-gnu
ln --symbolic --force bash usr/bin/sh
ln --symbolic --force gawk usr/bin/awk
ln --symbolic --force which.gnu usr/bin/which
