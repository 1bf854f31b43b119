import Conversions

/// The rules of the unit's start, its end, and its start after that.
enum UnitStartRules {
  private static let edit = "systemctl edit"
  /// The statuses that only a person can end.
  private static let lasting = ["64", "65", "77", "78"]

  static let all: [UnitRule] = [
    UnitRule("NeedDaemonReload") { value, _, _ in
      value != "yes"
        ? nil : .init(.warn, "the unit's files were changed, and systemd has the old ones", "systemctl daemon-reload")
    },
    UnitRule("UnitFileState") { value, unit, _ in
      switch value {
      case "disabled", "linked":
        .init(.warn, "the daemon isn't started when the host boots", "systemctl enable \(unit.unit)")
      case "static":
        .init(
          .warn, "the daemon isn't started when the host boots: the unit has no [Install]",
          "add WantedBy=multi-user.target there, then systemctl enable \(unit.unit)")
      case "enabled-runtime", "linked-runtime", "transient":
        .init(.warn, "the unit is gone after a boot", "install a unit of its own, then systemctl enable \(unit.unit)")
      default: nil
      }
    },
    UnitRule("Type") { value, unit, _ in
      switch value {
      case "notify": nil
      case "forking", "dbus", "oneshot":
        .init(.fail, "the start never ends: the daemon neither forks nor ends", "\(edit) \(unit.unit): Type=notify")
      case "notify-reload":
        .init(.warn, "a reload that is refused can't be told then", "\(edit) \(unit.unit): Type=notify")
      default:
        .init(
          .warn, "systemd takes the daemon for started before it is", "\(edit) \(unit.unit): Type=notify")
      }
    },
    UnitRule("User") { value, unit, about in
      if value.isEmpty, unit["DynamicUser"] != "yes" {
        return .init(.warn, "the daemon runs as root, which it needn't", "\(edit) \(unit.unit): User=conversiond")
      }
      return about.userExists
        ? nil
        : .init(
          .fail, "there is no such user, and the start fails",
          "useradd --system --home-dir /var/lib/conversiond --shell /usr/sbin/nologin \(value)")
    },
    UnitRule("DynamicUser") { value, unit, _ in
      value != "yes"
        ? nil
        : .init(
          .fail, "the ledger's folder is moved, and commands can't become a user that is there for a while only",
          "\(edit) \(unit.unit): DynamicUser=no and User=conversiond")
    },
    UnitRule("LoadCredential") { _, unit, about in
      guard let path = unit.credentials["api-key"] else {
        return .init(
          .warn, "no api-key is handed over, so the daemon's user must read api.key_file by itself",
          "\(edit) \(unit.unit): LoadCredential=api-key:/etc/conversiond/api-key")
      }
      return !about.missingFiles.contains(path)
        ? nil : .init(.fail, "\(path) isn't there, and the start fails (status 243)", "write the key into \(path)")
    },
    UnitRule("Restart") { value, unit, _ in
      value == "on-failure" || value == "always"
        ? nil : .init(.warn, "the daemon stays dead after a failure", "\(edit) \(unit.unit): Restart=on-failure")
    },
    UnitRule("RestartPreventExitStatus") { _, unit, _ in
      let missing = lasting.filter { !unit.list("RestartPreventExitStatus").contains($0) }
      guard !missing.isEmpty, unit["Restart"] != "no" else { return nil }
      return .init(
        .warn,
        "\(missing.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") missing: the daemon is started "
          + "again and again after what only a person can end",
        "\(edit) \(unit.unit): RestartPreventExitStatus=\(lasting.joined(separator: " "))")
    },
    UnitRule("StartLimitIntervalUSec") { value, unit, _ in
      unit.span("StartLimitIntervalUSec") == .zero
        ? nil
        : .init(
          .warn, "after a few failures the daemon stays dead, by a full disk that was cleared since, say",
          "\(edit) \(unit.unit): StartLimitIntervalSec=0 below [Unit]")
    },
    UnitRule("WatchdogUSec") { _, unit, _ in
      // The pings stop once a loop was in one step for ten minutes; a short time kills a host's pause, and no stuck loop.
      guard let time = unit.span("WatchdogUSec"), time > .zero, time < .seconds(30) else { return nil }
      return .init(
        .warn, "a host that pauses for a moment, as for a snapshot, has the daemon killed",
        "\(edit) \(unit.unit): WatchdogSec=60")
    },
    UnitRule("TimeoutStopUSec") { _, unit, _ in
      guard let time = unit.span("TimeoutStopUSec"), time < .seconds(30) else { return nil }
      return .init(
        .warn, "the daemon takes up to 30 s to end a report, and is killed before",
        "\(edit) \(unit.unit): TimeoutStopSec=45"
      )
    },
  ]
}
