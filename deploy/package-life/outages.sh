# The steps of deploy/try-package in which something else fails: the key, the database, the disk.

key_rotation() {
  local since
  since=$(now)
  keep_sandbox
  echo "KEY=$other_key" >"$root/srv/key"
  inside 'systemctl restart offertown'
  place_orders 2
  wait_until 60 tells api_halted "$since"
  wait_until 20 status_says 'sending is halted'
  refuse inside 'conversiond status' >"$work/status.log"
  inside "umask 077; echo $other_key >/etc/conversiond/api-key"
  inside 'systemctl restart conversiond'
  all_reported 60
}

database_stops() {
  local since
  since=$(now)
  inside 'systemctl stop postgresql'
  wait_until 30 tells poll_failed "$since"
  wait_until 20 status_says "the shop's database fails"
  expect is_active
  inside 'systemctl start postgresql'
  wait_until 60 tells poll_recovered "$since"
  place_orders 2
  all_reported 60
}

# small_disk: a file system of 24 MB in place of the state folder. fill_disk, make_room: to its last byte, and back.
small_disk() {
  inside 'systemctl stop conversiond; cp -a /var/lib/conversiond /root/kept
    mount -t tmpfs -o size=24m,mode=0700,uid=$(id -u conversiond),gid=$(id -g conversiond) state /var/lib/conversiond
    cp -a /root/kept/. /var/lib/conversiond/; rm -r /root/kept; systemctl start conversiond'
}
whole_disk() {
  inside 'systemctl stop conversiond; cp -a /var/lib/conversiond /root/kept; umount /var/lib/conversiond
    find /var/lib/conversiond -mindepth 1 -delete; cp -a /root/kept/. /var/lib/conversiond/; rm -r /root/kept; systemctl start conversiond'
}
fill_disk() { inside 'dd if=/dev/zero of=/var/lib/conversiond/filler bs=64k 2>/dev/null; dd if=/dev/zero of=/var/lib/conversiond/filler2 bs=1 count=4096 2>/dev/null; true'; }
make_room() { inside 'rm -f /var/lib/conversiond/filler /var/lib/conversiond/filler2'; }

# As the failure of the ledger, whichever loop meets it first.
tells_of_full_disk() { inside "journalctl -q -o cat -u conversiond --since @$1 CONVERSIOND_EVENT=ledger_failed" | found "disk is full"; }

disk_fills_while_running() {
  local since
  small_disk
  since=$(now)
  fill_disk
  place_orders 200
  wait_until 60 tells_of_full_disk "$since"
  expect is_active
  refuse inside 'conversiond check' >"$work/check.log" 2>&1
  grep -q 'FAIL' "$work/check.log"
  make_room
  all_reported 90
}

# The ledger is still to be made, and there is no room for it: each start ends with 74, and the next comes in five seconds.
disk_is_full_at_the_start() {
  local since
  since=$(now)
  inside 'systemctl stop conversiond; mkdir -m 700 /root/ledger.aside; mv /var/lib/conversiond/* /root/ledger.aside/'
  fill_disk
  inside 'systemctl start conversiond' 2>/dev/null || true
  wait_until 60 has_restarted 6
  expect grep -q 'status=74' <(inside "journalctl -q --since @$since -u conversiond")
  make_room
  wait_until 30 is_active
  inside 'systemctl stop conversiond; rm -rf /var/lib/conversiond/*; mv /root/ledger.aside/* /var/lib/conversiond/; rmdir /root/ledger.aside'
  whole_disk
  place_orders 1
  all_reported 60
}
has_restarted() { [ "$(property NRestarts)" -ge "$1" ]; }
