# The steps of deploy/try-package in which the ledger moves on: a second shop, backups, another host, another version.

# A second shop: a file, a key and a ledger of its own, and the host's share of writes in common.
second_instance() {
  make_shop shop2
  inside 'runuser -u postgres -- psql -q -d shop2 -c "GRANT SELECT ON orders TO conversiond"
    cp /etc/conversiond/conversiond.yaml /etc/conversiond/shop2.yaml; cp -p /etc/conversiond/api-key /etc/conversiond/shop2.api-key'
  configure writes_per_minute 30
  sed -i 's/dbname=shop"/dbname=shop2"/' "$root/etc/conversiond/shop2.yaml"
  configure writes_per_minute 30 shop2
  inside 'systemctl enable -q --now conversiond@shop2; systemctl restart conversiond'
  wait_until 30 is_active conversiond@shop2
  expect inside 'test -f /var/lib/conversiond/shop2.sqlite -a -S /run/conversiond/shop2.sock'
  expect grep -q shop2.sqlite <(inside 'conversiond --instance shop2 status')
  place_orders 25
  place_orders 25 shop2 5001
  all_reported 240
  shown="$(busiest_minute) writes in the busiest minute"
  expect [ "$(busiest_minute)" -le 30 ]
  configure writes_per_minute unlimited
  configure writes_per_minute unlimited shop2
  inside 'systemctl restart conversiond conversiond@shop2'
}

# The most POSTs in any 60 s, of the last 50, by the sandbox's own notes.
busiest_minute() {
  grep ' POST ' "$root/srv/requests.log" | tail -50 | cut -d' ' -f1 | xargs -I{} date -d {} +%s.%N | awk '
    { time[NR] = $1; while (time[NR] - time[first + 1] >= 60) first++; if (NR - first > most) most = NR - first } END { print most }'
}

# The timer of the examples, by the manual's commands; it fires each five seconds here in place of each hour.
backup_by_timer() {
  inside 'mkdir -p /run/systemd/system/conversiond-backup.timer.d
    printf "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/5\nRandomizedDelaySec=0\nAccuracySec=1s\n" >/run/systemd/system/conversiond-backup.timer.d/often.conf'
  inside "set -e; $(manual_commands 'ANOTHER HOST TAKES OVER' | head -4)" 2>"$work/timer.log"
  wait_until 30 has_backup
  inside 'rm -r /run/systemd/system/conversiond-backup.timer.d; systemctl daemon-reload; systemctl restart conversiond-backup.timer'
  sleep 6
  backup=$(inside 'ls /var/backups/conversiond/ledger-*.sqlite' | tail -1)
  expect [ "$(inside "stat -c %a $backup /var/backups/conversiond" | paste -sd' ')" = "600 700" ]
}
has_backup() { inside 'ls /var/backups/conversiond/ledger-*.sqlite' >/dev/null 2>&1; }

# Between the backup and the end of host A reports are sent, one that the API takes gets no answer, and others wait.
lose_host_a() {
  [ "$quick" = yes ] || sleep 50
  place_orders 5
  all_reported 60
  order_fault '[{"match":{"method":"POST"},"action":"loseAnswer"},{"match":{"method":"POST"},"times":"forever","action":"hang"}]'
  place_orders 1
  wait_until 20 is_all_reported
  place_orders 4
  sleep 3
  inside 'pkill -KILL -x conversiond' || true
  sandbox faults -X DELETE -o /dev/null
  keep_sandbox
  cut_power
}

# Host B has the package, the files in /etc/conversiond and the backup; shop and API are what they were.
take_over_on_host_b() {
  make_host b "$suite"
  rm -rf "$work/b/var/lib/postgresql"
  cp -a "$work/a/var/lib/postgresql" "$work/b/var/lib/"
  cp -a "$work/a/srv" "$work/b/"
  cp -a "$work/a/etc/systemd/system/offertown.service" "$work/b/etc/systemd/system/"
  local file=$backup
  install -D -m 600 "$work/a$file" "$work/b/root/carried/$(basename "$file")"
  boot b
  inside 'systemctl start offertown'
  cp "$package" "$root/srv/"
  inside "apt-get -q -y install ./$(basename "$package")" >"$work/apt.log" 2>&1
  cp -a "$work"/a/etc/conversiond/. "$root/etc/conversiond/"
  inside "set -e; $(manual_commands 'ANOTHER HOST TAKES OVER' | tail -3 | sed "s|FILE|/root/carried/$(basename "$file")|")" >"$work/restore.log" 2>&1
  wait_until 20 is_active
  wait_until 60 status_says 'nothing is sent for the first time before'
  # Reports that were sent since are seen as the API has it, and the rest waits in the queue.
  place_orders 3
  wait_until 90 in_state "$(newest_order)" queued
  shown="$(property StatusText)"
}

# In the quiet quarter of an hour, so that entries are in the queue: what runs runs again, what was stopped stays stopped.
upgrade_with_a_queue() {
  local pid instance_pid=
  ! inside 'test -e /etc/conversiond/shop2.yaml' || {
    inside 'systemctl start conversiond@shop2'
    instance_pid=$(property MainPID conversiond@shop2)
  }
  pid=$(property MainPID)
  cp "$upgrade" "$root/srv/"
  inside "apt-get -q -y install ./$(basename "$upgrade")" >"$work/apt.log" 2>&1
  refuse grep -q 'Three steps are left' "$work/apt.log"
  wait_until 20 has_another_process "$pid"
  [ -z "$instance_pid" ] || refuse [ "$(property MainPID conversiond@shop2)" = "$instance_pid" ]
  [ -z "$instance_pid" ] || wait_until 20 is_active conversiond@shop2
  expect in_state "$(newest_order)" queued
  inside "systemctl stop conversiond; apt-get -q -y --allow-downgrades install ./$(basename "$package")" >"$work/apt.log" 2>&1
  refuse is_active
  inside "apt-get -q -y install ./$(basename "$upgrade")" >"$work/apt.log" 2>&1
  sleep 2
  refuse is_active
  inside 'systemctl start conversiond'
}

# A ledger that a version still to come has written.
newer_ledger_is_refused() {
  local ledger=/var/lib/conversiond/ledger.sqlite
  inside "systemctl stop conversiond; cp -a $ledger /root/ledger.kept; sqlite3 $ledger \"INSERT INTO grdb_migrations VALUES ('of a version to come')\"
    systemctl start conversiond" 2>/dev/null || true
  sleep 7
  expect [ "$(property ExecMainStatus) $(property NRestarts) $(property ActiveState)" = "65 0 failed" ]
  inside "cp -a /root/ledger.kept $ledger; rm /root/ledger.kept; rm -f $ledger-wal $ledger-shm; systemctl reset-failed conversiond; systemctl start conversiond"
  wait_until 20 is_active
}

everything_is_reported_once() {
  all_reported 1200
  wait_until 30 status_says 'no report waits'
  shown="$reported orders, over both hosts"
}
