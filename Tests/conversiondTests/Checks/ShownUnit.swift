/// Properties as systemd 252 shows them (`systemctl show -p`), of the package's unit and of one with a drop-in.
enum ShownUnit {
  /// Of deploy/debian/conversiond.service, stopped and disabled.
  static let package = """
    Type=notify
    Restart=on-failure
    TimeoutStopUSec=45s
    WatchdogUSec=infinity
    RestartPreventExitStatus=64 65 77 78
    ExecStart={ path=/usr/bin/conversiond ; argv[]=/usr/bin/conversiond run ; ignore_errors=no ; \
    start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }
    MemoryHigh=402653184
    MemoryMax=536870912
    DevicePolicy=closed
    IPAddressAllow=
    IPAddressDeny=
    UMask=0077
    LimitCORE=0
    LimitNOFILESoft=4096
    RootDirectory=
    CapabilityBoundingSet=
    AmbientCapabilities=
    User=conversiond
    DynamicUser=no
    RemoveIPC=yes
    ReadWritePaths=
    ReadOnlyPaths=
    InaccessiblePaths=
    PrivateTmp=yes
    PrivateDevices=yes
    ProtectClock=yes
    ProtectKernelTunables=yes
    ProtectKernelModules=yes
    ProtectKernelLogs=yes
    ProtectControlGroups=yes
    PrivateNetwork=no
    PrivateUsers=yes
    PrivateMounts=yes
    PrivateIPC=yes
    ProtectHome=yes
    ProtectSystem=strict
    NoNewPrivileges=yes
    SystemCallFilter=_llseek _newselect accept accept4 access add_key
    SystemCallArchitectures=native
    SystemCallErrorNumber=1
    LockPersonality=yes
    RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
    RuntimeDirectoryPreserve=yes
    RuntimeDirectory=conversiond
    StateDirectoryMode=0700
    StateDirectory=conversiond
    MemoryDenyWriteExecute=yes
    RestrictRealtime=yes
    RestrictSUIDSGID=yes
    RestrictNamespaces=yes
    BindPaths=
    TemporaryFileSystem=
    KeyringMode=private
    ProtectProc=invisible
    ProcSubset=all
    ProtectHostname=yes
    LoadState=loaded
    FragmentPath=/etc/systemd/system/conversiond.service
    DropInPaths=
    UnitFileState=disabled
    NeedDaemonReload=no
    StartLimitIntervalUSec=0
    LoadCredential=[unprintable]
    """

  /// The lines that are others with ``dropIn``.
  static let weakened = """
    RestartPreventExitStatus=64 65 TERM
    MemoryHigh=infinity
    MemoryMax=62914560
    IPAddressAllow=::1/128 192.0.2.10/32 127.0.0.0/8
    IPAddressDeny=::/0 0.0.0.0/0
    LimitNOFILESoft=100
    CapabilityBoundingSet=cap_net_admin
    DynamicUser=yes
    ReadWritePaths=/srv/a
    ReadOnlyPaths=/srv/b
    PrivateUsers=no
    RestrictAddressFamilies=AF_UNIX
    StateDirectoryMode=0755
    StateDirectory=a b conversiond
    RestrictNamespaces=no
    ProcSubset=pid
    FragmentPath=/etc/systemd/system/weak.service
    DropInPaths=/etc/systemd/system/weak.service.d/weak.conf
    StartLimitIntervalUSec=10s
    """

  /// The drop-in that makes them so.
  static let dropIn = """
    [Unit]
    StartLimitIntervalSec=10
    [Service]
    LoadCredential=
    LoadCredentialEncrypted=api-key:/etc/conversiond/api-key.cred
    IPAddressDeny=any
    IPAddressAllow=localhost
    # Two lines make one list.
    IPAddressAllow=192.0.2.10
    RestrictAddressFamilies=
    RestrictAddressFamilies=AF_UNIX
    ProcSubset=pid
    ReadWritePaths=/srv/a
    ReadOnlyPaths=/srv/b
    RestartPreventExitStatus=
    RestartPreventExitStatus=64 65 SIGTERM
    MemoryMax=60M
    MemoryHigh=infinity
    LimitNOFILE=100
    DynamicUser=yes
    CapabilityBoundingSet=CAP_NET_ADMIN
    RestrictNamespaces=no
    StateDirectory=a b
    StateDirectoryMode=0755
    PrivateUsers=no
    """
}
