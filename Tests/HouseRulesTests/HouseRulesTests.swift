import Testing

/// Rules of the house that no compiler keeps. Each failure names file and line.
@Suite struct HouseRulesTests {
  private let all = SourceTree.sources + SourceTree.tests

  /// Stages never import each other: a value walks from one to the next through `Conversions`.
  private static let imports: [String: Set<String>] = [
    "Conversions": [], "BlockingIO": [], "Postgres": ["BlockingIO", "CLibpq"], "Orders": ["Conversions", "Postgres"],
    "PartnersAPI": ["BlockingIO", "CLibcurl", "Conversions"], "Ledger": ["BlockingIO", "CLibsqlite", "Conversions"],
    "Pipeline": ["Conversions"], "Systemd": ["CLibsystemd"], "Configuration": ["Conversions"], "PartnersSandbox": [],
    "conversiond": [
      "Conversions", "Postgres", "Orders", "PartnersAPI", "Ledger", "Pipeline", "Systemd", "Configuration",
      "PartnersSandbox",
    ],
  ]

  /// System calls without a safe form, outside the targets that bind a C library (Postgres, PartnersAPI, Systemd).
  private static let unsafe: [String: String] = [
    "SystemClock.swift": "clock_gettime(2), boot_id", "BlockingExecutor.swift": "an executor's unowned jobs",
    "SyncedFile.swift": "open(2), fsync(2)", "FileError.swift": "strerror(3)",
    "LedgerConnection.swift": "SQLite's file control and hooks", "SQLiteLedger.swift": "SQLite's backup",
    "LedgerCopy.swift": "mkstemp(3)", "BackupFile.swift": "mkstemp(3), fsync(2)", "BackupSource.swift": "fstat(2)",
    "LedgerLock.swift": "fcntl(2)", "LedgerSize.swift": "stat(2)", "DurableFiles.swift": "open(2), fsync(2)",
    "LedgerRebuild.swift": "unlink(2)", "LedgerReplacement.swift": "stat(2), access(2)",
    "RebuildMarker.swift": "open(2)", "FileSearch.swift": "read(2)",
    "ForgottenPeople.swift": "the bytes of an HMAC", "PasswordFile.swift": "stat(2) of libpq's password file",
    "DaemonAccess.swift": "sockaddr_un", "ControlServer.swift": "sockaddr_un, SO_PEERCRED",
    "ControlClient.swift": "sockaddr_un", "LedgerOwner.swift": "setuid(2)",
    "TimerDescriptors.swift": "open(2)", "KeyFile.swift": "stat(2), POSIX ACLs",
    "DiskCheck.swift": "statfs(2), fsync(2)",
    "DaemonUser.swift": "getpwnam(3), initgroups(3)",
    "StandardStreams.swift": "write(2)",
  ]

  @Test func stagesImportOnlyWhatTheyMay() {
    let targets = Set(Self.imports.keys).union(["CLibpq", "CLibcurl", "CLibsqlite", "CLibsystemd"])
    for file in SourceTree.sources {
      let allowed = Self.imports[file.target] ?? []
      for line in file.lines {
        guard let name = line.firstMatch(of: #/^(?:[@a-z_]+ )*import ([A-Za-z]+)$/#)?.output.1 else { continue }
        #expect(!targets.contains(String(name)) || allowed.contains(String(name)), "\(file.path) imports \(name)")
      }
    }
    #expect(Set(SourceTree.sources.map(\.target)) == Set(Self.imports.keys))
  }

  @Test func unsafeStandsOnlyWhereASystemCallHasNoSafeForm() {
    let bindings: Set = ["Postgres", "PartnersAPI", "Systemd"]
    let found = SourceTree.sources.filter { file in
      !bindings.contains(file.target)
        && file.lines.contains { !$0.isComment && $0.firstMatch(of: #/\bunsafe\b/#) != nil }
    }
    #expect(Set(found.map(\.name)) == Set(Self.unsafe.keys))
  }

  /// A shorter one fails for the tests that run beside it on two cores, and not for a loop that never ends.
  @Test func noTestIsLimitedToLessThanFiveMinutes() {
    for file in SourceTree.tests {
      for (number, line) in file.lines.enumerated() {
        guard let minutes = line.firstMatch(of: #/timeLimit\(\.minutes\((\d+)\)/#)?.output.1 else { continue }
        #expect((Int(minutes) ?? 0) >= 5, "\(file.path):\(number + 1)")
      }
    }
  }

  @Test func noTwoFilesHaveOneName() {
    for (name, files) in Dictionary(grouping: all, by: \.name) where files.count > 1 {
      Issue.record("\(name): \(files.map(\.path))")
    }
  }

  @Test func aFolderHasSixteenFilesAtMostAndAFileThreeHundredAndSixtyLines() {
    for (folder, files) in Dictionary(grouping: all, by: \.folder) where files.count > 16 {
      Issue.record("\(folder): \(files.count) files")
    }
    for file in SourceTree.sources where file.lines.count > 360 {
      Issue.record("\(file.path): \(file.lines.count) lines")
    }
  }

  /// Folders of tests that have no counterpart in Sources.
  private static let ownFolders: [String: String] = [
    "Benchmark": "a program", "CrashDisk": "a disk for tests", "CrashDiskTests": "its tests",
    "LoopFixtures": "stand-ins",
    "TestHosts": "real parts for tests", "WorldOracle": "a second opinion", "HouseRulesTests": "no code but the tree",
    "IntakeTests": "Pipeline's intake on a real PostgreSQL", "TortureTests": "the whole program against writers",
    "PartnersSandboxTests/Conformance": "the API's reference, section by section",
    "PipelineTests/Models": "models of shop and API", "PipelineTests/Simulation": "days of all loops",
    "PipelineTests/Worlds": "random worlds and their oracle", "conversiondTests/Fixture": "a daemon for tests",
    "conversiondTests/OrdinaryLife": "the whole program by what shops do",
    "conversiondTests/Outages": "and by what fails",
  ]

  @Test func testsLieInTheFoldersOfWhatTheyTest() {
    let sources = Set(SourceTree.sources.map(\.folder))
    var own: Set<String> = []
    for folder in Set(SourceTree.tests.map(\.folder)) {
      if let found = Self.ownFolders.keys.first(where: { "\(folder)/".hasPrefix("Tests/\($0)/") }) {
        own.insert(found)
      } else {
        let counterpart = folder.replacing(#/^Tests\/([A-Za-z]+)Tests/#) { "Sources/\($0.output.1)" }
        #expect(sources.contains { "\($0)/".hasPrefix("\(counterpart)/") }, "\(folder)")
      }
    }
    #expect(own == Set(Self.ownFolders.keys))
  }

  /// A rule that extends the ledger's transaction stands neither with the rules nor with what the store writes.
  @Test func noRuleExtendsTheLedgersTransaction() {
    for file in SourceTree.sources {
      #expect(!file.lines.contains { $0.hasPrefix("extension LedgerTransaction") }, "\(file.path)")
    }
  }

  @Test func namesSayWhatAThingIs() {
    for file in all {
      #expect(file.name.firstMatch(of: #/Util|Helper|Manager|Common/#) == nil, "\(file.path)")
    }
  }

  @Test func aFunctionFitsOnAScreen() {
    for file in all {
      for (line, count) in file.functions where count > 60 {
        Issue.record("\(file.path):\(line): \(count) lines")
      }
    }
  }
}

extension String {
  var isComment: Bool { drop { $0 == " " }.hasPrefix("//") }
  fileprivate var indentation: Int { prefix { $0 == " " }.count }
}

extension SourceTree.File {
  /// Each function's first line and its length, told by indentation.
  fileprivate var functions: [(line: Int, count: Int)] {
    lines.indices.compactMap { start in
      guard lines[start].firstMatch(of: #/^ *(?:@?[a-z]+(?:\([a-z]+\))? )*(?:func |init[?(<]|deinit )/#) != nil else {
        return nil
      }
      let indentation = lines[start].indentation
      // A declaration without a body ends where the next line is not indented deeper.
      let end = lines.indices.dropFirst(start + 1).first { index in
        !lines[index].isEmpty && lines[index].indentation <= indentation
          && !lines[index].drop { $0 == " " }.hasPrefix(")") && !lines[index].contains("where ")
      }
      return end.map { (start + 1, $0 - start + 1) }
    }
  }
}
