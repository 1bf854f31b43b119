// swift-tools-version:6.2
import PackageDescription

/// Every target is held to the same rules. `unsafe` belongs in the binding targets (Postgres,
/// PartnersAPI, Systemd) and wherever else a system call has no safe form; strict memory safety
/// makes each such place say so.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

func target(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil) -> Target {
  .target(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let flyingFox = Target.Dependency.product(name: "FlyingFox", package: "FlyingFox")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let flyingSocks = Target.Dependency.product(name: "FlyingSocks", package: "FlyingFox")

let package = Package(
  name: "conversiond",
  products: [
    .executable(name: "conversiond", targets: ["conversiond"]),
    .executable(name: "benchmark", targets: ["Benchmark"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
  ],
  targets: [
    // The system's libraries: a module map and a shim header each, nothing else.
    .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CLibcurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CLibsystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(name: "CLibsqlite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

    // The vocabulary, every pure rule, and the protocols at which the stages meet. No I/O.
    target("Conversions"),

    // Calls that block: a queue for the actors that make them, and files that are on the disk after a write.
    target("BlockingIO"),

    // An order walks through these from left to right; none imports another stage.
    target("Postgres", ["BlockingIO", "CLibpq"]),
    target("Orders", ["Conversions", "Postgres"]),
    target("PartnersAPI", ["BlockingIO", "CLibcurl", "Conversions"]),
    target("Ledger", ["BlockingIO", "CLibsqlite", "Conversions", grdb, sqlite, crypto]),
    target("Pipeline", ["Conversions", logging, lifecycle]),

    // Their surroundings on the host.
    target("Systemd", ["CLibsystemd", logging]),
    target("Configuration", ["Conversions", .product(name: "Yams", package: "Yams")]),
    target("PartnersSandbox", [flyingFox, flyingSocks]),
    .executableTarget(
      name: "conversiond",
      dependencies: [
        "Conversions", "Postgres", "Orders", "PartnersAPI", "Ledger", "Pipeline", "Systemd", "Configuration",
        "PartnersSandbox", argumentParser, logging, lifecycle, signals, flyingFox, flyingSocks,
      ],
      swiftSettings: strict,
      // Lets libdispatch find the program's own function, where it is a library of its own (ThreadPriority.swift).
      linkerSettings: [.unsafeFlags(["-Xlinker", "--export-dynamic-symbol=setpriority"])]),

    // Real parts for tests: a private PostgreSQL cluster, temporary folders, processes; and chance that can be repeated.
    target("TestHosts", path: "Tests/TestHosts"),
    // Stand-ins for parts that a test of the loops lacks.
    target("LoopFixtures", ["Conversions", "Pipeline", "Systemd", logging], path: "Tests/LoopFixtures"),
    // An oracle of the payments that are right in a model's world, by nothing of the product.
    target("WorldOracle", path: "Tests/WorldOracle"),
    // A disk in memory that loses what was not synced, under SQLite.
    target("CrashDisk", ["TestHosts", sqlite], path: "Tests/CrashDisk"),
    .executableTarget(
      name: "Benchmark",
      dependencies: [
        "CLibcurl", "Conversions", "Postgres", "Orders", "PartnersAPI", "Ledger", "Pipeline", "PartnersSandbox",
        "TestHosts", "LoopFixtures", argumentParser, logging, sqlite,
      ],
      path: "Tests/Benchmark", swiftSettings: strict),
    // Rules that no compiler keeps: words, imports, sizes, links.
    tests("HouseRulesTests", []),
    tests("ConversionsTests", ["Conversions", "TestHosts"]),
    tests("PostgresTests", ["Postgres", "TestHosts"]),
    tests("OrdersTests", ["Orders", "Conversions", "Postgres", "TestHosts"]),
    tests("PartnersAPITests", ["PartnersAPI", "PartnersSandbox", "Conversions", "TestHosts"]),
    tests("LedgerTests", ["Ledger", "Conversions", "TestHosts"]),
    tests("CrashDiskTests", ["CrashDisk", "Ledger", "Conversions", "TestHosts", grdb]),
    tests(
      "PipelineTests",
      [
        "Pipeline", "Ledger", "Conversions", "TestHosts", "LoopFixtures", "CrashDisk", "WorldOracle", logging,
        lifecycle,
      ]),
    tests(
      "IntakeTests",
      ["Orders", "Pipeline", "Ledger", "Conversions", "Postgres", "TestHosts", "LoopFixtures", logging, lifecycle]),
    tests("SystemdTests", ["Systemd", "TestHosts", logging]),
    tests("ConfigurationTests", ["Configuration", "Conversions", "TestHosts"]),
    tests("PartnersSandboxTests", ["PartnersSandbox", "TestHosts", flyingSocks]),
    tests(
      "conversiondTests",
      [
        "conversiond", "TestHosts", "PartnersSandbox", "Configuration", "Pipeline", "Systemd", flyingFox, flyingSocks,
      ]),
    // The built program as a black box, for a minute of everything at once: `TORTURE_SECONDS`, `TORTURE_SEED`.
    tests("TortureTests", ["conversiond", "TestHosts", "Postgres"]),
  ]
)
