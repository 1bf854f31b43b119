import Conversions

/// The rules of what the unit lets the daemon reach: files, addresses, memory.
enum UnitReachRules {
  private static let edit = "systemctl edit"

  static let all: [UnitRule] = [
    UnitRule("ReadWritePaths") { _, unit, about in
      guard let hindrance = UnitFolders(unit).hindrance(at: about.ledgerFolder) else { return nil }
      let isMendable = hindrance.hasPrefix("ProtectSystem")
      return .init(
        .fail, "the daemon can't write to \(about.ledgerFolder), by \(hindrance)",
        isMendable
          ? "\(edit) \(unit.unit): ReadWritePaths=\(about.ledgerFolder)"
          : "keep the ledger below /var/lib/conversiond, or take that setting out")
    },
    UnitRule("StateDirectoryMode") { value, unit, about in
      let isLedgers = unit.stateFolders.contains { about.ledgerFolder == $0 || about.ledgerFolder.hasPrefix($0 + "/") }
      guard isLedgers, let mode = UInt16(value, radix: 8), mode & 0o077 != 0 else { return nil }
      return .init(
        .warn, "other users can enter the ledger's folder", "\(edit) \(unit.unit): StateDirectoryMode=0700")
    },
    UnitRule("RuntimeDirectory") { _, unit, _ in
      unit.list("RuntimeDirectory").contains("conversiond")
        ? nil
        : .init(
          .warn,
          "daemons of this host don't share the API's limits, and commands look in /run/conversiond for a socket",
          "\(edit) \(unit.unit): RuntimeDirectory=conversiond")
    },
    UnitRule("RuntimeDirectoryPreserve") { value, unit, _ in
      value != "no" || unit.list("RuntimeDirectory").isEmpty
        ? nil
        : .init(
          .warn, "a restart forgets what was sent in the last minute",
          "\(edit) \(unit.unit): RuntimeDirectoryPreserve=yes")
    },
    UnitRule("ProcSubset") { value, unit, _ in
      // SystemClock.bootID is another one for each process then, and TrustedTime.Memory of another boot.
      value != "pid"
        ? nil
        : .init(
          .warn,
          "/proc/sys/kernel/random/boot_id is hidden, so each restart counts as a boot: the clock is unconfirmed "
            + "until the API or the database answers",
          "\(edit) \(unit.unit): ProcSubset=all")
    },
    UnitRule("RestrictAddressFamilies") { _, unit, _ in
      let words = unit.list("RestrictAddressFamilies")
      let isDenied = { (family: String) in
        words.first?.hasPrefix("~") == true
          ? words.contains { $0 == family || $0 == "~" + family } : !words.contains(family)
      }
      let missing = ["AF_UNIX", "AF_INET", "AF_INET6"].filter(isDenied)
      guard !missing.isEmpty else { return nil }
      let fails = missing.contains("AF_UNIX") || missing.count > 1
      let consequence =
        missing.contains("AF_UNIX")
        ? "the daemon can't tell systemd that it has started, and the start hangs" : "hosts may be out of reach"
      return .init(
        fails ? .fail : .warn,
        "\(missing.joined(separator: ", ")) \(missing.count == 1 ? "is" : "are") missing: \(consequence)",
        "\(edit) \(unit.unit): RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6")
    },
    UnitRule("PrivateNetwork") { value, unit, _ in
      value != "yes" ? nil : .init(.fail, "the API can't be reached", "\(edit) \(unit.unit): PrivateNetwork=no")
    },
    UnitRule("IPAddressDeny") { _, unit, about in
      let rules = UnitAddresses(unit)
      let barred = about.peers.filter { !$0.addresses.isEmpty && !$0.addresses.contains(where: rules.permit) }
      guard !barred.isEmpty else { return nil }
      return .init(
        .warn, "the daemon can't reach \(barred.map(\.name).joined(separator: ", "))",
        "\(edit) \(unit.unit): IPAddressAllow= and their addresses")
    },
    UnitRule("MemoryMax") { _, unit, _ in memory(unit.bytes("MemoryMax"), unit, "MemoryMax=512M") },
    UnitRule("MemoryHigh") { _, unit, _ in memory(unit.bytes("MemoryHigh"), unit, "MemoryHigh=384M") },
    UnitRule("LimitNOFILESoft") { value, unit, _ in
      guard let limit = UInt64(value), limit < 256 else { return nil }
      return .init(
        .warn, "the daemon may run out of files and connections", "\(edit) \(unit.unit): LimitNOFILE=4096")
    },
    UnitRule("SystemCallErrorNumber") { value, unit, _ in
      let calls = unit.list("SystemCallFilter")
      let isDenyList = calls.first?.hasPrefix("~") == true
      let isPermitted = isDenyList != calls.contains { $0 == "setpriority" || $0 == "~setpriority" }
      // The greatest number but one stands for a kill (systemd's seccomp-util.h).
      guard !isPermitted, value == "2147483646" || value == "kill" else { return nil }
      return .init(
        .fail, "SystemCallFilter= leaves out setpriority, and the daemon is killed at its start (SIGSYS)",
        "\(edit) \(unit.unit): SystemCallErrorNumber=EPERM")
    },
  ]

  private static func memory(_ bytes: UInt64?, _ unit: UnitProperties, _ better: String) -> UnitRule.Finding? {
    guard let bytes, bytes < 128 << 20 else { return nil }
    return .init(
      bytes < 64 << 20 ? .fail : .warn, "\(bytes >> 20) MiB are too little for a large shop's first start",
      "\(UnitReachRules.edit) \(unit.unit): \(better)")
  }
}
