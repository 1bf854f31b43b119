# The steps of deploy/try-package from a fresh host to the first report, by the README's own commands.

# readme_commands: those of the README's section on installing, in order, without their comments.
readme_commands() {
  awk '/^## /{ on = $0 == "## Install" } /^ *```/{ listing = !listing } on && !listing' README.md | grep -E '^ {7}[a-z]' | sed -E 's/^ +//; s/ +#.*//'
}

# manual_commands SECTION: those that conversiond(8) has in a section, in order.
manual_commands() {
  awk -v section=".SH $1" '/^\.SH /{ on = $0 == section } /^\.fi/{ listing = 0 } on && listing; /^\.nf/{ listing = 1 }' deploy/man/conversiond.8 \
    | sed 's/\\-/-/g; s/ \{2,\}#.*//'
}

# An operator's hand: `editor` makes the example fit the shop of this trial.
make_editor() {
  cat >"$root/usr/local/bin/editor" <<'SCRIPT'
#!/bin/sh
sed -i -E 's|^( *)#(base_url:).*|\1\2 http://127.0.0.1:8480/api/v1/partners|
  s|^( *)#(poll_interval:).*|\1\2 1s|; s|^( *)#(sweep_interval:).*|\1\2 5s|; s|^( *)#(hold:).*|\1\2 0s|
  s|^( *)#(writes_per_minute:\|conversions_per_minute:\|reads_per_minute:).*|\1\2 unlimited|' "$1"
SCRIPT
  chmod 755 "$root/usr/local/bin/editor"
}

# boots_here: makes the first host, and tells whether it boots: some machines allow no container with a systemd of its own.
boots_here() { make_host a "$suite" && boot a; } 2>>"$work/console.log"

prepare_host() {
  make_editor
  make_shop shop
  make_sandbox
  cp "$package" "$root/srv/"
}

follow_readme() {
  local command commands=0
  local -a lines
  mapfile -t lines < <(readme_commands)
  [ ${#lines[@]} -ge 7 ]
  for command in "${lines[@]}"; do
    # The rehearsal goes on until Ctrl-C.
    [[ $command != *--dry-run* ]] || command="timeout --preserve-status -s INT 8 $command"
    printf '\n# %s\n' "$command" >>"$work/readme.log"
    echo "$key" | inside "$command" >>"$work/readme.log" 2>&1 || { tail -20 "$work/readme.log" >&2; return 1; }
    [[ $command != "apt install"* ]] || is_installed_and_disabled
    commands=$((commands + 1))
  done
  shown="$commands commands"
}

is_installed_and_disabled() {
  expect grep -q 'Three steps are left' "$work/readme.log"
  expect grep -q 'systemctl enable --now conversiond' "$work/readme.log"
  refuse is_active
  expect [ "$(inside 'systemctl is-enabled conversiond' || true)" = disabled ]
  expect [ "$(inside 'stat -c "%a %U %s" /etc/conversiond/api-key')" = "600 root 0" ]
  expect [ "$(inside 'stat -c "%a %U" /var/lib/conversiond')" = "700 conversiond" ]
}

first_reports() {
  expect is_active
  place_orders 20
  all_reported 60
  shown="$reported orders"
}

pages_and_completions() {
  local page shell file
  for page in $(inside 'dpkg -L conversiond | grep "/man/man.*gz"'); do
    expect [ -z "$(inside "man --warnings -E UTF-8 -l $page 2>&1 >/dev/null")" ]
  done
  inside 'bash -ec "source /usr/share/bash-completion/bash_completion; source /usr/share/bash-completion/completions/conversiond; complete -p conversiond"' >/dev/null
  inside 'zsh -n /usr/share/zsh/vendor-completions/_conversiond; zsh -c "autoload -Uz compinit; compinit -u -D; whence -w _conversiond"' >/dev/null
  expect [ -n "$(inside 'fish -c "complete -C\"conversiond queue l\""')" ]
  for file in README.md what-changed.md examples/{conversiond.yaml,role.sql,notify.sql,encrypted-credential.conf,ip-allow-list.conf} \
    examples/{on-failure-mail.conf,conversiond-mail@.service,conversiond-backup.service,conversiond-backup.timer} changelog; do
    expect inside "test -e /usr/share/doc/conversiond/$file -o -e /usr/share/doc/conversiond/$file.gz"
  done
  expect [ "$(inside 'journalctl -x -o short CONVERSIOND_EVENT=started' | grep -c 'Subject: conversiond has started')" -gt 0 ]
}

# The examples that are units are made units, too, as their heads say.
unit_is_sound() {
  local unit units=/usr/lib/systemd/system words
  inside 'mkdir -p /tmp/units; cp /usr/share/doc/conversiond/examples/*.service /usr/share/doc/conversiond/examples/*.timer /tmp/units/'
  words=$(inside "systemd-analyze verify $units/conversiond.service $units/conversiond@shop2.service /tmp/units/* 2>&1" || true)
  expect [ -z "$words" ]
  shown=
  for unit in conversiond.service conversiond@.service; do
    words=$(inside "systemd-analyze security --no-pager --offline=true $units/$unit" | sed -n 's/.*exposure level.*: \([0-9.]*\) .*/\1/p')
    expect [ "$(printf '%s\n1.1\n' "$words" | sort -V | tail -1)" = 1.1 ]
    shown+="${shown:+, }exposure $words"
  done
}

# milliseconds FROM TO: between two times of the unit, which systemd noted.
milliseconds() { echo $((($(property "$2") - $(property "$1")) / 1000)); }

# The best of five: another process of the host may have the processor.
ready_and_stop_are_quick() {
  local ready=999999 stop=999999 took
  for _ in 1 2 3 4 5; do
    inside 'systemctl stop conversiond'
    took=$(milliseconds ActiveExitTimestampMonotonic InactiveEnterTimestampMonotonic)
    [ "$took" -ge "$stop" ] || stop=$took
    inside 'systemctl start conversiond'
    took=$(milliseconds InactiveExitTimestampMonotonic ActiveEnterTimestampMonotonic)
    [ "$took" -ge "$ready" ] || ready=$took
    sleep 2
  done
  shown="ready in $ready ms, stopped in $stop ms"
  [ "$ready" -le 500 ] && [ "$stop" -le 100 ] || { say "too slow: $shown" >&2; return 1; }
}

stop_during_a_send() {
  local began took
  order_fault '{"match":{"method":"POST"},"times":"forever","action":"hang"}'
  place_orders 1
  wait_until 20 in_state "$(newest_order)" sending
  inside 'systemctl stop conversiond'
  took=$(milliseconds ActiveExitTimestampMonotonic InactiveEnterTimestampMonotonic)
  shown="in $took ms"
  expect [ "$took" -le 12000 ]
  expect [ "$(property Result)" = success ]
  sandbox faults -X DELETE -o /dev/null
  inside 'systemctl start conversiond'
  all_reported 60
}

reboot() {
  keep_sandbox
  power_off
  boot a
  wait_until 30 is_active
  place_orders 2
  # With /run the boot loses the record of the last minute's sends: the daemon lets that minute pass.
  all_reported 150
  shown="$reported orders"
}

status_line_is_true() {
  wait_until 20 status_says "no report waits, $(conversions | wc -l) today"
  inside 'systemctl status --no-pager conversiond' 2>/dev/null | found 'Status: "no report waits'
}
