mkdir --parents etc/alternatives etc/crypto-policies/{back-ends,state} etc/sysconfig opt/ohpc/{admin,pub/modulefiles} var/lib/{alternatives,rpm}
for name in etc/crypto-policies/back-ends/{openssh,openssl}.config etc/crypto-policies/state/current etc/machine-id \
  etc/locale.conf etc/fstab etc/subuid etc/subgid etc/slurm/slurm.conf var/log/wtmp var/log/btmp \
  etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem boot/{vmlinuz,config,System.map}-%{kver} boot/initramfs-%{kver}.img; do
  # Only its name counts, for %%ghost.
  mkdir --parents "$(dirname "$name")"
  : >"$name"
done
