/// The sandbox of the package's unit, and the ways in which a unit's is weaker.
enum UnitSandbox {
  /// The values of each property that are as strict as the package's, or stricter.
  static let strict: [(property: String, values: Set<String>)] =
    [
      "NoNewPrivileges", "PrivateDevices", "PrivateIPC", "PrivateMounts", "ProtectClock", "ProtectHostname",
      "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "LockPersonality",
      "MemoryDenyWriteExecute", "RemoveIPC", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
    ].map { ($0, ["yes"]) } + [
      ("PrivateTmp", ["yes", "disconnected"]), ("PrivateUsers", ["yes", "self", "identity", "full", "managed"]),
      ("ProtectControlGroups", ["yes", "private", "strict"]), ("ProtectHome", ["yes", "tmpfs"]),
      ("ProtectProc", ["invisible", "ptraceable", "noaccess"]), ("ProtectSystem", ["strict"]),
      ("KeyringMode", ["private"]), ("DevicePolicy", ["closed", "strict"]), ("UMask", ["0077", "0177"]),
      ("LimitCORE", ["0"]), ("CapabilityBoundingSet", [""]), ("AmbientCapabilities", [""]),
      ("SystemCallArchitectures", ["native"]),
    ]

  /// Warns of what is weaker: in one line for each drop-in that makes it so, and one for the unit's own file.
  static func lines(_ unit: UnitProperties) -> [CheckLine] {
    var weaker = strict.compactMap { property, values -> (property: String, value: String)? in
      guard let value = unit[property], !values.contains(value) else { return nil }
      return (property, value)
    }
    if let calls = unit["SystemCallFilter"], calls.isEmpty || calls == "~" { weaker.append(("SystemCallFilter", "")) }
    let places = Dictionary(grouping: weaker) { unit.dropIn(setting: $0.property) ?? "" }
    return places.sorted { $0.key < $1.key }.map { place, weaker in
      let shown = weaker.prefix(4).map { "\($0.property)=\($0.value.prefix(30))" }.joined(separator: ", ")
      let more = weaker.count > 4 ? " and \(weaker.count - 4) more" : ""
      return CheckLine(
        .warn, "unit",
        "the sandbox is weaker than the package's: \(shown)\(more)" + (place.isEmpty ? "" : ", by \(place)"),
        advice: place.isEmpty
          ? "take these lines from the package's conversiond.service" : "take these lines out of \(place)")
    }
  }
}
