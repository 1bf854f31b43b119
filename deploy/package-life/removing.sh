# The last steps of deploy/try-package: the package goes.

remove_keeps_everything() {
  inside 'systemctl stop offertown'
  place_orders 2
  wait_until 30 status_says '2 reports wait'
  inside 'apt-get -q -y remove conversiond' >"$work/apt.log" 2>&1
  refuse inside 'test -e /usr/bin/conversiond'
  refuse is_active
  refuse inside 'pgrep -x conversiond'
  expect inside 'test -s /var/lib/conversiond/ledger.sqlite -a -s /etc/conversiond/conversiond.yaml -a -s /etc/conversiond/api-key'
}

purge_says_what_is_lost() {
  inside 'apt-get -q -y purge conversiond' >"$work/apt.log" 2>&1
  shown=$(grep -m1 'conversiond.yaml: .* never sent' "$work/apt.log")
  expect grep -q 'conversiond.yaml: 2 reports were never sent' "$work/apt.log"
  refuse inside 'test -e /var/lib/conversiond -o -e /etc/conversiond -o -e /run/conversiond'
  expect [ -z "$(inside 'find /etc/systemd/system -name "conversiond*.service" -type l')" ]
}
