//! Modules and slots (ETG5001).

use ecat_esi::{Choice, ChoicePart, EsiFile, ModuleChoice, Target};

use crate::support::{fixture, shared};

fn choice(modules: &[(Option<u16>, &str)]) -> Choice {
    let modules = modules
        .iter()
        .map(|(slot, module)| ModuleChoice { slot: *slot, module: (*module).to_owned() });
    Choice {
        device: Some("SIM-COUPLER".into()),
        modules: Some(modules.collect()),
        ..Choice::default()
    }
}

#[test]
fn modules_move_their_pdos_objects_and_commands_to_their_slots() {
    let file = fixture("Simulated.xml");
    let coupler = choice(&[(None, "SIM-4DI"), (Some(3), "0xA02"), (None, "4 inputs and a state")]);
    let coupler = coupler.configure(&[&file]).unwrap();
    let slots: Vec<_> = coupler.modules.iter().map(|one| (one.slot, one.module.ident)).collect();
    assert_eq!(slots, [(1, 0xD14), (3, 0xA02), (4, 0xD14)]);
    let pdos: Vec<_> = coupler
        .pdos
        .iter()
        .map(|pdo| (pdo.index.base, pdo.entries[0].index.base, pdo.sync_manager))
        .collect();
    assert_eq!(
        pdos,
        [(0x1A00, 0x6000, Some(3)), (0x1602, 0x7020, Some(2)), (0x1A03, 0x6030, Some(3))]
    );
    // A gap stays one.
    assert_eq!(coupler.pdos[2].entries[4].index.base, 0);
    let objects: Vec<u16> = coupler.objects().iter().map(|object| object.index).collect();
    assert_eq!(objects, [0x1000, 0x1008, 0x8000, 0x8030, 0xF000, 0xF100, 0xF200]);

    let written: Vec<_> = coupler
        .init_commands()
        .into_iter()
        .map(|command| match command.target {
            Target::Object { index, .. } => (index.base, command.data, command.transitions),
            _ => panic!("CoE only"),
        })
        .collect();
    let ps = || vec!["PS".to_owned()];
    assert_eq!(
        written,
        [
            // The device's own makes room for the first module's; the second one's comes behind.
            (0xF100, vec![0, 0], ps()),
            (0x8000, vec![3, 0], ps()),
            (0x8030, vec![3, 0], ps()),
            (0xF100, vec![0, 0], ps()),
        ]
    );
    // The EEPROM knows nothing of modules; the process image has all of it.
    assert_eq!(coupler.sii().unwrap().sii.pdos.len(), 0);
    assert_eq!(coupler.process_image().pdos.len(), 3);
    assert_eq!(coupler.self_contained_sii().unwrap().sii.pdos.len(), 3);
}

#[test]
fn a_module_that_does_not_fit_is_refused_by_its_place_in_the_list() {
    let file = fixture("Simulated.xml");
    for (modules, part, message) in [
        (&[(None, "SIM-ENC")][..], 0, "no free slot of SIM-COUPLER takes SIM-ENC"),
        (&[(Some(2), "SIM-ENC")], 0, "slot 2 does not take SIM-ENC"),
        (
            &[(None, "SIM-4DI"), (None, "SIM-9DI")],
            1,
            "no module is called \"SIM-9DI\"; there are SIM-4DI",
        ),
        (&[(Some(2), "SIM-4DI"), (Some(2), "SIM-4DI")], 1, "slot 2 has a module already"),
        (&[(Some(65), "SIM-4DI")], 0, "SIM-COUPLER has the slots 1 to 64, not 65"),
    ] {
        let error = choice(modules).configure(&[&file]).unwrap_err();
        assert_eq!(error.part, ChoicePart::Module(part));
        assert!(error.message.starts_with(message), "{error}");
    }
    let drive = Choice { device: Some("SIM-DRIVE".into()), ..choice(&[(None, "SIM-4DI")]) };
    assert_eq!(
        drive.configure(&[&file]).unwrap_err().message,
        "SIM-DRIVE has no slots for modules"
    );
}

#[test]
fn a_module_that_is_not_there_may_be_in_a_file_that_the_file_names() {
    let mut file = fixture("Simulated.xml");
    file.references = vec!["More.xml".into(), "Most.xml".into()];
    let wanted = choice(&[(None, "SIM-9DI")]);
    let alone = wanted.configure(&[&file]).unwrap_err().message;
    assert!(
        alone.ends_with("; more may be in More.xml, Most.xml: name that file as well"),
        "{alone}"
    );
    let with_another = wanted.configure(&[&file, &fixture("Simulated.xml")]).unwrap_err().message;
    assert!(!with_another.contains("More.xml"), "{with_another}");
}

#[test]
fn a_coupler_takes_every_module_of_another_vendors_catalogue() {
    let Some(bytes) = shared("esi/Weidmueller_UR20_IO.xml") else { return };
    let (own, modules) = (fixture("Simulated.xml"), EsiFile::parse(&bytes).unwrap());
    for (n, module) in modules.modules.iter().enumerate() {
        let slot = u16::try_from(n % 64).unwrap() + 1;
        let choice = choice(&[(Some(slot), &format!("{:#x}", module.ident))]);
        let coupler = choice.configure(&[&own, &modules]).unwrap();
        assert_eq!(coupler.notes, [""; 0], "{}", module.r#type);
        let moved = (slot - 1) * 16;
        assert!(coupler.objects().iter().any(|object| object.index == 0x8000 + moved));
        let bits: usize = coupler.pdos.iter().map(ecat_esi::Pdo::bits).sum();
        assert!(bits > 0, "{}", module.r#type);
        for pdo in &coupler.pdos {
            assert_eq!(pdo.index.base & 0x00FF, slot - 1, "{}", module.r#type);
        }
    }
}

#[test]
fn slots_have_their_default_modules_and_their_own_increments() {
    let text = r##"<EtherCATInfo><Vendor><Id>1</Id></Vendor><Descriptions><Devices><Device Physics="YY">
      <Type ProductCode="1" RevisionNo="1">AXES</Type>
      <Sm StartAddress="#x1000" ControlByte="#x64" Enable="1">Outputs</Sm>
      <Slots SlotIndexIncrement="#x800" SlotPdoIncrement="16">
        <Slot MinInstances="1" MaxInstances="1"><Name>Axis 1</Name>
          <ModuleIdent>#x1</ModuleIdent><ModuleIdent Default="1">#x2</ModuleIdent></Slot>
        <Slot MinInstances="1" MaxInstances="1" SlotIndexIncrement="#x400"><ModuleIdent>#x1</ModuleIdent></Slot>
        <Slot MinInstances="0" MaxInstances="1"><ModuleIdent>#x1</ModuleIdent></Slot>
      </Slots></Device></Devices><Modules>
      <Module><Type ModuleIdent="1">csv</Type><RxPdo Sm="0"><Index DependOnSlot="true">#x1601</Index>
        <Exclude DependOnSlot="true">#x1600</Exclude><Exclude>#x1700</Exclude>
        <Entry><Index DependOnSlot="true">#x60FF</Index><BitLen>32</BitLen></Entry></RxPdo></Module>
      <Module><Type ModuleIdent="2">csp</Type></Module>
      </Modules></Descriptions></EtherCATInfo>"##;
    let file = EsiFile::parse(text.as_bytes()).unwrap();
    let axes = Choice::default().configure(&[&file]).unwrap();
    // The marked one; the only one of a slot that must have one; none.
    let slots: Vec<_> = axes.modules.iter().map(|one| (one.slot, one.module.ident)).collect();
    assert_eq!(slots, [(1, 2), (2, 1)]);
    let pdo = &axes.pdos[0];
    assert_eq!((pdo.index.base, pdo.entries[0].index.base), (0x1611, 0x64FF));
    assert_eq!(pdo.excludes.iter().map(|one| one.base).collect::<Vec<_>>(), [0x1610, 0x1700]);
    let none = Choice { modules: Some(Vec::new()), ..Choice::default() };
    assert!(none.configure(&[&file]).unwrap().modules.is_empty());
}
