"""Causes that lie in a host, and what would change them: what a student meets who measures there."""

from __future__ import annotations

from grader.language.bilingual import both

CAUSES = (
    both(
        "measure on a lab host with working KVM, VFIO and SR-IOV: tdlab host up --emulated",
        "mesurez sur une machine de TD où KVM, VFIO et SR-IOV marchent : tdlab host up --emulated",
    ),
    both("or {cause}", "ou {cause}"),
    both(
        "run: {command}   and read the kernel log",
        "lancez : {command}   et lisez le journal du noyau",
    ),
    both("run: {command}", "lancez : {command}"),
    both("run `tdlab doctor` as root", "lancez `tdlab doctor` en root"),
    both("see `tdlab doctor`", "voyez `tdlab doctor`"),
    both("see the row {row}", "voyez la ligne {row} de `tdlab doctor`"),
    both("see the rows {rows} of `tdlab doctor`", "voyez les lignes {rows} de `tdlab doctor`"),
    # The processor.
    both(
        "this host is itself a virtual machine ({below}) without nested virtualisation",
        "cette machine est elle-même une VM ({below}) sans virtualisation imbriquée",
    ),
    both(
        "let the hypervisor below pass it on, where it can",
        "que l'hyperviseur du dessous la transmette, s'il le peut",
    ),
    both(
        "let the hypervisor below pass nested virtualisation on to this machine",
        "que l'hyperviseur du dessous transmette la virtualisation imbriquée à cette machine",
    ),
    both("enable VT-x or SVM in the firmware set-up", "activez VT-x ou SVM dans le micrologiciel"),
    both("enable {what} in the firmware set-up", "activez {what} dans le micrologiciel"),
    both(
        "the CPU lacks it, or the firmware hides it", "le processeur ne l'a pas, ou le micrologiciel le cache"
    ),
    both("the firmware disables the extension", "le micrologiciel désactive l'extension"),
    both(
        "from inside a virtual machine the firmware of the real one cannot be seen",
        "de l'intérieur d'une VM on ne voit pas le micrologiciel de la vraie machine",
    ),
    both("ask who runs the machine below", "demandez à qui gère la machine du dessous"),
    both(
        "neither the kernel log nor the CPU's registers could be read for it",
        "ni le journal du noyau ni les registres du processeur n'ont pu être lus",
    ),
    both("{module} was loaded with nested off", "{module} est chargé avec nested désactivé"),
    both(
        "the CPU does not show {name}: guests run on shadow page tables",
        "le processeur n'a pas {name} : les invités tournent avec des tables fantômes",
    ),
    both(
        "{module} was loaded with {name}=0: guests run on shadow page tables",
        "{module} est chargé avec {name}=0 : les invités tournent avec des tables fantômes",
    ),
    both("with no guest running: {command}", "sans invité en marche : {command}"),
    both(
        "neither kvm_intel nor kvm_amd is loaded, and the CPU shows neither vmx nor svm",
        "ni kvm_intel ni kvm_amd n'est chargé, et le processeur ne montre ni vmx ni svm",
    ),
    both("neither kvm_intel nor kvm_amd is loaded", "ni kvm_intel ni kvm_amd n'est chargé"),
    # KVM.
    both("KVM cannot be used: {cause}", "KVM n'est pas utilisable : {cause}"),
    both("KVM is not believed: {cause}", "KVM n'est pas digne de confiance : {cause}"),
    both("/dev/kvm is missing", "/dev/kvm n'existe pas"),
    both("/dev/kvm does not open: {why}", "/dev/kvm ne s'ouvre pas : {why}"),
    both("this user may not use KVM", "cet utilisateur n'a pas le droit d'utiliser KVM"),
    both(
        "use a lab host with KVM, or make one: tdlab host up --emulated",
        "prenez une machine de TD avec KVM, ou faites-en une : tdlab host up --emulated",
    ),
    both(
        "a Linux guest did not boot within {seconds} s, under KVM",
        "un invité Linux n'a pas démarré en {seconds} s, sous KVM",
    ),
    both(
        "a Linux guest stopped before it was ready, under KVM",
        "un invité Linux s'est arrêté avant d'être prêt, sous KVM",
    ),
    both(
        "a Linux guest could not be started ({said}), under KVM",
        "un invité Linux n'a pas pu être lancé ({said}), sous KVM",
    ),
    both(
        "a Linux guest did not boot within {seconds} s, although /dev/kvm opens",
        "un invité Linux n'a pas démarré en {seconds} s, bien que /dev/kvm s'ouvre",
    ),
    both(
        "a Linux guest stopped before it was ready, although /dev/kvm opens",
        "un invité Linux s'est arrêté avant d'être prêt, bien que /dev/kvm s'ouvre",
    ),
    both(
        "a Linux guest could not be started ({said}), although /dev/kvm opens",
        "un invité Linux n'a pas pu être lancé ({said}), bien que /dev/kvm s'ouvre",
    ),
    both("no guest can be tried without libvirt", "sans libvirt, aucun invité ne peut être essayé"),
    both("it could not be tried: {cause}", "l'essai n'a pas pu se faire : {cause}"),
    both("the test could not be run: {cause}", "l'essai n'a pas pu se faire : {cause}"),
    both("put this right, then {command}", "corrigez cela, puis {command}"),
    both(
        "pass /dev/kvm on if this is a container, and read the kernel log (dmesg)",
        "transmettez /dev/kvm si c'est un conteneur, et lisez le journal du noyau (dmesg)",
    ),
    both(
        "{module} is loaded, and yet there is no device file: this may be a container",
        "{module} est chargé, et pourtant le fichier de périphérique manque : un conteneur ?",
    ),
    both(
        "the CPU shows {flag}, and {module} is not loaded",
        "le processeur montre {flag}, et {module} n'est pas chargé",
    ),
    both("/proc/cpuinfo shows neither vmx nor svm", "/proc/cpuinfo ne montre ni vmx ni svm"),
    both(
        "/proc/cpuinfo shows neither vmx nor svm, and this host is itself a virtual machine ({below})",
        "/proc/cpuinfo ne montre ni vmx ni svm, et cette machine est elle-même une VM ({below})",
    ),
    both("no KVM module drives this CPU", "aucun module KVM ne pilote ce processeur"),
    both("the kernel refuses it", "le noyau le refuse"),
    # Counters of exits.
    both(
        "TCG has no VM exits, and KVM does not work here",
        "TCG n'a pas de sorties de VM, et KVM ne marche pas ici",
    ),
    both(
        "TCG has no VM exits: it translates the guest's instructions in software",
        "TCG n'a pas de sorties de VM : il traduit les instructions de l'invité par logiciel",
    ),
    both(
        "TCG has neither EPT nor shadow page tables: comparing them needs KVM",
        "TCG n'a ni EPT ni tables fantômes : les comparer demande KVM",
    ),
    both("not measurable here: libvirt reports no {what}", "non mesurable ici : libvirt ne donne pas {what}"),
    both(
        "not measurable here: this KVM does not count the exits that certainly happened",
        "non mesurable ici : ce KVM ne compte pas les sorties qui ont sûrement eu lieu",
    ),
    both("use a host whose counters are right", "prenez une machine dont les compteurs sont justes"),
    both("QEMU reports no {what} for this guest", "QEMU ne donne pas {what} pour cet invité"),
    both("QEMU reports no {what}", "QEMU ne donne pas {what}"),
    both(
        "libvirt reports no CPU time for this guest", "libvirt ne donne pas le temps processeur de cet invité"
    ),
    both("libvirt counted no packets for this guest", "libvirt n'a pas compté de paquets pour cet invité"),
    both(
        "the packets of a device that was handed over do not pass the host",
        "les paquets d'un périphérique confié ne passent pas par l'hôte",
    ),
    both("this kernel was built without tracing", "ce noyau est fait sans le traçage"),
    both("tracefs is not mounted", "tracefs n'est pas monté"),
    both("only root may read tracefs", "seul root peut lire tracefs"),
    both(
        "the kernel has no event kvm:kvm_exit: KVM's module is not loaded, or another's",
        "le noyau n'a pas l'événement kvm:kvm_exit : le module KVM n'est pas chargé",
    ),
    # IOMMU and devices.
    both("this virtual machine ({below}) was given no IOMMU", "cette VM ({below}) n'a pas reçu d'IOMMU"),
    both("give this machine a virtual IOMMU", "donnez une IOMMU virtuelle à cette machine"),
    both(
        "the firmware describes none (no ACPI table DMAR or IVRS)",
        "le micrologiciel n'en décrit aucune (ni table ACPI DMAR ni IVRS)",
    ),
    both(
        "the firmware offers {kind}, and the kernel does not use it",
        "le micrologiciel offre {kind}, et le noyau ne s'en sert pas",
    ),
    both(
        "add {word} iommu=pt to the kernel's command line and reboot",
        "ajoutez {word} iommu=pt à la ligne de commande du noyau, et redémarrez",
    ),
    both(
        "remapping is done by an IOMMU, and there is none in use",
        "c'est une IOMMU qui remappe, et aucune ne sert",
    ),
    both("groups exist only where an IOMMU is in use", "il n'y a de groupes que là où une IOMMU sert"),
    both("no device here has the SR-IOV capability", "aucun périphérique d'ici n'a SR-IOV"),
    both(
        "use a NIC with SR-IOV (Intel 82576, X710, ConnectX…)",
        "prenez une carte réseau avec SR-IOV (Intel 82576, X710, ConnectX…)",
    ),
    both("this host has no NIC on PCI", "cette machine n'a pas de carte réseau PCI"),
    both("add a second NIC behind an IOMMU", "ajoutez une deuxième carte réseau derrière une IOMMU"),
    both("{nic}: this host is reached by it", "{nic} : c'est par elle qu'on joint cette machine"),
    both("{nic}: it is in no IOMMU group", "{nic} : elle n'est dans aucun groupe IOMMU"),
    both("{host} can spare no NIC", "{host} n'a pas de carte réseau disponible"),
    both(
        "a device can be handed over only behind an IOMMU: {cause}",
        "un périphérique ne se confie que derrière une IOMMU : {cause}",
    ),
    both("the module vhost_net is not loaded", "le module vhost_net n'est pas chargé"),
    both("/dev/vhost-net is missing", "/dev/vhost-net n'existe pas"),
    both("the spec asks for KVM: {cause}", "on demande KVM : {cause}"),
    both("the spec asks for vhost: {cause}", "on demande vhost : {cause}"),
    both(
        "{what} needs the KVM module of {host} to be loaded anew, which was not allowed",
        "{what} demande de recharger le module KVM de {host}, ce qui n'a pas été permis",
    ),
    both(
        "end all VMs there and add --allow-module-reload; the module is put back afterwards",
        "arrêtez-y toutes les VM et ajoutez --allow-module-reload ; le module est remis ensuite",
    ),
    both(
        "{module} is loaded with {name}, and the spec asks for {wanted}",
        "{module} est chargé avec {name}, et on demande {wanted}",
    ),
    both(
        "with no guest running, let tdlab load it with {name} and put it back: --allow-module-reload",
        "sans invité en marche, que tdlab le charge avec {name} puis le remette : --allow-module-reload",
    ),
    both("{name} could not be looked at: {cause}", "{name} n'a pas pu être examinée : {cause}"),
    both(
        "there is no lab host called {name} (known: {known})",
        "il n'y a pas de machine de TD nommée {name} (connues : {known})",
    ),
    both(
        "make it: {command}   or name a real one: USER@ADDRESS",
        "faites-la : {command}   ou nommez-en une vraie : UTILISATEUR@ADRESSE",
    ),
    both("the matrix has no cell {name}", "la matrice n'a pas de cellule {name}"),
    both("cells: {what}", "cellules : {what}"),
    both("another tdlab is at work in {folder}", "un autre tdlab travaille dans {folder}"),
    both(
        "wait for it, or give another folder with --out",
        "attendez-le, ou donnez un autre dossier avec --out",
    ),
    both(
        "the run in {folder} was asked for something else",
        "la mesure de {folder} portait sur autre chose",
    ),
    both("leave --resume out to start anew", "sans --resume, elle recommence"),
    both("{host} does not answer", "{host} ne répond pas"),
    both(
        "{domain} did not answer on its network within {seconds} s",
        "{domain} n'a pas répondu sur son réseau en {seconds} s",
    ),
    both(
        "nothing was measured: the run ended before its turn",
        "rien n'a été mesuré : la mesure a été arrêtée avant",
    ),
)
