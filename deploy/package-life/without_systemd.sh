# A host of another Debian on which no systemd runs, as in a container: the package installs, and the daemon runs by itself, as
# conversiond(8) says for such hosts. Needs a folder with that Debian, and no more of the kernel than a network of its own.

without_systemd() {
  local name=without-systemd
  make_host "$name" "$1"
  cp "$package" "$work/$name/root/package.deb"
  install -D -m 755 "$work/unpacked/usr/bin/conversiond" "$work/$name/srv/offertown"
  cp deploy/package-life/inside_without_systemd "$work/$name/srv/play"
  manual_commands 'HOSTS WITHOUT SYSTEMD AND CONTAINERS' >"$work/$name/srv/commands"
  systemd-nspawn --quiet -D "$work/$name" --register=no --keep-unit --private-network --as-pid2 \
    bash /srv/play "$key" >"$work/$name.log" 2>&1 </dev/null || { tail -30 "$work/$name.log" >&2; return 1; }
  shown=$(tr -d '\r' <"$work/$name.log" | grep -E 'PostgreSQL [0-9]+, [0-9]+ orders$')
}
