mkdir --parents etc/alternatives etc/sysconfig usr/lib/sysimage/rpm var/lib/alternatives
ln --symbolic --force --no-dereference ../../usr/lib/sysimage/rpm var/lib/rpm
for name in config System.map; do
  ln --force usr/lib/modules/%{kver}/$name boot/$name-%{kver}
done
ln --force usr/lib/modules/%{kver}/vmlinuz boot/%{image}-%{kver}
for name in etc/machine-id etc/locale.conf etc/fstab etc/subuid etc/subgid etc/slurm/slurm.conf etc/adjtime etc/hosts.allow \
  etc/hosts.equiv etc/sysconfig/language boot/%{image} boot/initrd boot/initrd-%{kver}; do
  # Only its name counts, for %%ghost.
  : >"$name"
done
